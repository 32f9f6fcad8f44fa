package control

type profileFolders struct{ dir string }

type busy struct{}

func newBusy() *busy { return &busy{} }
