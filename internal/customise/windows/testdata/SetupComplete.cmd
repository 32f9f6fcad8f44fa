@echo off
rem This file was written by ingot.
if exist "%~dp0SetupComplete-image.cmd" cmd.exe /d /c ""%~dp0SetupComplete-image.cmd""
echo "setup" >> %TEMP%\x.txt
cmd.exe /d /c ""%ProgramData%\ingot\firstboot.cmd""
