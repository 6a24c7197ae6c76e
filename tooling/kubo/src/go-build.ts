import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { KuboUnavailableError } from './unavailable.ts'

const run = promisify(execFile)
const minimumGo = [1, 26, 5] as const
const modulePath = 'github.com/ipfs/kubo/cmd/ipfs'

/** The folder with go.mod and go.sum. */
const moduleFolder: string = dirname(dirname(fileURLToPath(import.meta.url)))

/** The pinned version, as go.mod says it. */
export function pinnedVersion(): string {
  const match = /github\.com\/ipfs\/kubo v(\S+)/.exec(readFileSync(`${moduleFolder}/go.mod`, 'utf8'))
  if (match?.[1] === undefined) throw new Error('tooling/kubo/go.mod does not name github.com/ipfs/kubo')
  return match[1]
}

/** The Go that would build, as `go1.26.8`. Throws the typed reason where there is none or it is too old. */
export async function goVersion(): Promise<string> {
  let version: string
  try {
    version = (await run('go', ['env', 'GOVERSION'], { cwd: moduleFolder })).stdout.trim()
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new KuboUnavailableError(
      missing ? 'no-go' : 'go-too-old',
      missing
        ? `building Kubo needs Go ${minimumGo.join('.')} or newer, and there is no "go" in PATH; install Go, or name a binary with KUBO_BINARY`
        : `this Go refuses tooling/kubo/go.mod; install Go ${minimumGo.join('.')} or newer, or name a binary with KUBO_BINARY`,
      cause
    )
  }
  const parts = /^go(\d+)\.(\d+)(?:\.(\d+))?/.exec(version)
  if (parts !== null) {
    const found = [Number(parts[1]), Number(parts[2]), Number(parts[3] ?? 0)]
    const difference = minimumGo.map((wanted, i) => (found[i] ?? 0) - wanted).find((d) => d !== 0) ?? 0
    if (difference < 0)
      throw new KuboUnavailableError(
        'go-too-old',
        `building Kubo needs Go ${minimumGo.join('.')} or newer, here is ${version}; install it, or name a binary with KUBO_BINARY`
      )
  }
  return version
}

/** Names the binary that go.mod, go.sum and this Go give on this platform. */
export function buildKey(version: string): string {
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(`${moduleFolder}/${file}`)).update('\0')
  return hash.update(`${version}\0${process.platform}\0${process.arch}`).digest('hex').slice(0, 20)
}

/** Compiles the daemon to `output`. `onPackage` gets the number of packages compiled so far. */
export async function build(output: string, onPackage: (compiled: number) => void): Promise<void> {
  const child = spawn(
    'go',
    ['build', '-v', '-trimpath', '-buildvcs=false', '-tags', 'nofuse', '-o', output, modulePath],
    {
      cwd: moduleFolder,
      env: { ...process.env, CGO_ENABLED: '0' },
      stdio: ['ignore', 'ignore', 'pipe']
    }
  )
  let compiled = 0
  let tail = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    compiled += text.split('\n').length - 1
    tail = (tail + text).slice(-4000)
    onPackage(compiled)
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) {
    const offline = /dial tcp|no such host|proxy|connection refused|i\/o timeout/i.test(tail)
    throw new KuboUnavailableError(
      offline ? 'download' : 'build',
      `go build of Kubo ${pinnedVersion()} failed${offline ? ': the Go module proxy cannot be reached' : ''}\n${tail}`
    )
  }
}
