@echo off
rem This file was written by ingot.
setlocal DisableDelayedExpansion
chcp 65001 >nul
set "log=%~dp0firstboot.log"
if exist "%~dp0firstboot.done" exit /b 0
>"%~dp0firstboot.done" echo begun
>>"%log%" echo %DATE% %TIME% first boot of %COMPUTERNAME%
>>"%log%" echo %DATE% %TIME% 01-evil-del-C-PATH-x.cmd begins
cmd.exe /d /c ""%~dp0firstboot\01-evil-del-C-PATH-x.cmd"" >>"%log%" 2>&1
>>"%log%" echo %DATE% %TIME% 01-evil-del-C-PATH-x.cmd ended with %ERRORLEVEL%
>>"%log%" echo %DATE% %TIME% 02-zweites.cmd begins
cmd.exe /d /c ""%~dp0firstboot\02-zweites.cmd"" >>"%log%" 2>&1
>>"%log%" echo %DATE% %TIME% 02-zweites.cmd ended with %ERRORLEVEL%
>>"%log%" echo %DATE% %TIME% done
exit /b 0
