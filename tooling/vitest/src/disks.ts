import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'

export interface DiskOptions {
  /** In the form of mount: `32m`. */
  readonly size: string
  /** The most files that it can have. Default: no limit. */
  readonly inodes?: number | undefined
  /** `ext4`: a disk for `breakDisk` and `mountAgain` of `./ext4`. Default: `tmpfs`. */
  readonly kind?: 'ext4' | undefined
}

/**
 * Runs a module in a separate process. Its first argument is a folder on a file system of the given size. Resolves with
 * the last JSON that it prints. The file system is in a mount namespace, and disappears with the process.
 */
export async function onDisk<T>(
  script: string,
  { size, inodes = 0, kind }: DiskOptions,
  ...args: string[]
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'p2pl-disk-'))
  const tmpfs = `mount -t tmpfs -o size=${size},nr_inodes=${inodes} none "$0"`
  const mount = `${kind === undefined ? tmpfs : ext4(size)} && exec "$@"`
  const node = [process.execPath, '-C', '@p2pl/source', script, folder, ...args]
  try {
    return await outputOf<T>('unshare', [...namespace, 'sh', '-c', mount, folder, ...node])
  } finally {
    rmSync(folder, { recursive: true, force: true })
    rmSync(`${folder}.image`, { force: true })
  }
}

const ext4 = (size: string): string =>
  `truncate -s ${size} "$0.image" && mkfs.ext4 -q -F "$0.image" && mount -o loop "$0.image" "$0"`

/** A library that makes system calls below a folder fail according to a control file; see `faults.c`. */
export function faultLibrary(folder: string): string {
  const library = join(folder, 'faults.so')
  execFileSync('cc', ['-shared', '-fPIC', '-o', library, join(import.meta.dirname, 'faults.c'), '-ldl'])
  return library
}

/** Runs a module in a separate process with that library. Resolves with the last JSON that it prints. */
export async function withFaults<T>(
  library: string,
  script: string,
  folder: string,
  ...args: readonly string[]
): Promise<T> {
  const control = join(folder, 'control')
  const env = { ...process.env, LD_PRELOAD: library, FAULT_CONTROL: control, FAULT_FOLDER: join(folder, 'disk') }
  return await outputOf<T>(process.execPath, ['-C', '@p2pl/source', script, folder, ...args], env)
}

/** Tests with separate file systems. If they cannot be mounted, one test says so: skipped, or failed in CI. */
export function describeOnDisks(name: string, body: () => void): void {
  describeWhere(name, body, missingMounts)
}

/**
 * Tests with disks that break. If no disk image can be mounted (as in most containers), one test is skipped and says
 * so.
 */
export function describeOnExt4(name: string, body: () => void): void {
  describeWhere(name, body, missingLoop, false)
}

/** Tests with a file system that fails. If there is no C compiler, one test says so: skipped, or failed in CI. */
export function describeWithFaults(name: string, body: () => void): void {
  describeWhere(name, body, missingCompiler)
}

function describeWhere(name: string, body: () => void, missing: () => string | undefined, required = true): void {
  const reason = missing()
  if (reason === undefined) {
    describe(name, body)
    return
  }
  describe(name, () => {
    it('needs more than this machine has', (context) => {
      if (required && process.env['CI'] === 'true') throw new Error(reason)
      context.skip(reason)
    })
  })
}

/** Root needs no user namespace. On some machines nobody may mount in one. */
const namespace = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--user', '--map-root-user']

function missingMounts(): string | undefined {
  if (process.platform !== 'linux') return 'file systems of a test’s own are mounted on Linux only'
  try {
    execFileSync('unshare', [...namespace, 'mount', '-t', 'tmpfs', 'none', tmpdir()], { stdio: 'pipe' })
    return undefined
  } catch {
    return 'no file system can be mounted here: run as root, or allow user namespaces'
  }
}

function missingLoop(): string | undefined {
  if (process.platform !== 'linux') return 'images of disks are mounted on Linux only'
  const folder = mkdtempSync(join(tmpdir(), 'p2pl-disk-'))
  try {
    execFileSync('unshare', ['--mount', 'sh', '-c', ext4('8m'), folder], { stdio: 'pipe' })
    return undefined
  } catch {
    return 'no image of a disk can be mounted here: run as root, with loop devices and e2fsprogs'
  } finally {
    rmSync(folder, { recursive: true })
    rmSync(`${folder}.image`, { force: true })
  }
}

function missingCompiler(): string | undefined {
  if (process.platform !== 'linux') return 'system calls are made to fail on Linux only'
  try {
    execFileSync('cc', ['--version'], { stdio: 'pipe' })
    return undefined
  } catch {
    return 'there is no C compiler: install gcc and libc6-dev'
  }
}

async function outputOf<T>(command: string, args: readonly string[], env = process.env): Promise<T> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [output, errors] = ['', '']
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()))
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (...end) => resolve(end))
  })
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code ?? signal}:\n${output}\n${errors}`)
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as T
}
