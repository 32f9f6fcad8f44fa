package wire

// Exit codes of 'ingot': a contract, which the help of the program lists. A Result
// carries the one that its job ended with.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitRefused     = 3
	ExitIntegrity   = 4
	ExitNotFound    = 5
	ExitUnreadable  = 6 // done, with unreadable sectors recorded
	ExitInterrupted = 130
)
