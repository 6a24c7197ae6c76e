import { execFileSync } from 'node:child_process'

// For programs that run on a disk of the kind `ext4`.

/**
 * Does what the kernel does when it finds a disk damaged: the disk is read-only from now on, even for open files, until
 * it is mounted again.
 */
export function breakDisk(folder: string): void {
  execFileSync('mount', ['-o', 'remount,abort', folder])
}

/** Mounts the disk as after a restart of the machine. No file on it may be open. */
export function mountAgain(folder: string): void {
  execFileSync('umount', [folder])
  execFileSync('mount', ['-o', 'loop', `${folder}.image`, folder])
}

/** Remounts the disk as an operator would. `ro` works only while no file on it is open for writing. */
export function remount(folder: string, how: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${how}`, folder])
}
