package agent

import (
	"os"
	"os/signal"
	"syscall"
)

func notify(c chan os.Signal) { signal.Notify(c, syscall.SIGINT) }
func ignore()                 { signal.Ignore(syscall.SIGINT) }
