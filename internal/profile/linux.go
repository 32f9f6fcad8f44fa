package profile

import (
	"fmt"
	"strings"
)

func (c *checker) linux(p *Profile) {
	c.keys("linux.root-keys", p.Linux.RootKeys)
	for i, arg := range p.Linux.KernelArgs {
		at := fmt.Sprintf("linux.kernel-args[%d]", i)
		name, _, _ := strings.Cut(arg, "=")
		if c.given(at) && (name == "root" || name == "resume" || name == "initrd") {
			c.add(at, "%s= is set by the deploy itself, to what the disk has: leave it out", name)
		}
	}
}
