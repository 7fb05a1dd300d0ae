"""What goes into the kernel: BPF programs and target definitions."""
