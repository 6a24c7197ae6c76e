import { execFileSync } from 'node:child_process'

// For programs that run on a disk of the kind `ext4`.

/** As the kernel does when it finds a disk damaged: from now on it is read-only, also for files that are open, until it is mounted again. */
export function breakDisk(folder: string): void {
  execFileSync('mount', ['-o', 'remount,abort', folder])
}

/** As after a restart of the machine. No file on it may be open. */
export function mountAgain(folder: string): void {
  execFileSync('umount', [folder])
  execFileSync('mount', ['-o', 'loop', `${folder}.image`, folder])
}

/** As an operator does it. To `ro` only while no file on it is open for writing. */
export function remount(folder: string, how: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${how}`, folder])
}
