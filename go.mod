module github.com/ingot-imaging/ingot

go 1.26
