#!/bin/sh
# Reads and writes of a disk of null_blk that keeps its data, one task each.
set -e
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
disk=/sys/kernel/config/nullb/z3t
mkdir "$disk"
echo 1 >"$disk/memory_backed"
echo 64 >"$disk/size"
echo 1 >"$disk/power"
node=/dev/nullb$(cat "$disk/index")
dd if=/dev/zero of="$node" bs=16k count="${COUNT:-1000}" oflag=direct status=none &
dd if="$node" of=/dev/null bs=16k count="${COUNT:-1000}" iflag=direct status=none
wait
echo 0 >"$disk/power"
rmdir "$disk"
