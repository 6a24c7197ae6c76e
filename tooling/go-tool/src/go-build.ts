import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { type GoTool, minimumGo, pinnedVersion } from './tool.ts'
import { GoToolUnavailableError } from './unavailable.ts'

const run = promisify(execFile)

/** The version of Go that would build, such as `go1.26.8`. Throws a typed reason if there is none or it is too old. */
export async function goVersion(tool: GoTool): Promise<string> {
  const minimum = minimumGo(tool)
  const wanted = `Go ${minimum.join('.')} or newer`
  const other = `or name a binary with ${tool.variable}`
  let version: string
  try {
    version = (await run('go', ['env', 'GOVERSION'], { cwd: tool.folder })).stdout.trim()
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new GoToolUnavailableError(
      missing ? 'no-go' : 'go-too-old',
      missing
        ? `building ${tool.name} needs ${wanted}, and there is no "go" in PATH; install Go, ${other}`
        : `this Go refuses the go.mod of ${tool.name}; install ${wanted}, ${other}`,
      cause
    )
  }
  const parts = /^go(\d+)\.(\d+)(?:\.(\d+))?/.exec(version)
  if (parts !== null) {
    const found = [Number(parts[1]), Number(parts[2]), Number(parts[3] ?? 0)]
    const difference = minimum.map((least, i) => (found[i] ?? 0) - least).find((d) => d !== 0) ?? 0
    if (difference < 0)
      throw new GoToolUnavailableError(
        'go-too-old',
        `building ${tool.name} needs ${wanted}, here is ${version}; install it, ${other}`
      )
  }
  return version
}

/** Identifies the binary that results from go.mod, go.sum and this Go on this platform. */
export function buildKey({ folder }: GoTool, version: string): string {
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(`${folder}/${file}`)).update('\0')
  return hash.update(`${version}\0${process.platform}\0${process.arch}`).digest('hex').slice(0, 20)
}

/** Compiles the program to `output`. `onPackage` receives the number of packages compiled so far. */
export async function build(tool: GoTool, output: string, onPackage: (compiled: number) => void): Promise<void> {
  const { args = [], command, folder, name } = tool
  const child = spawn('go', ['build', '-v', '-trimpath', '-buildvcs=false', ...args, '-o', output, command], {
    cwd: folder,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'pipe']
  })
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
    throw new GoToolUnavailableError(
      offline ? 'download' : 'build',
      `go build of ${name} ${pinnedVersion(tool)} failed${offline ? ': the Go module proxy cannot be reached' : ''}\n${tail}`
    )
  }
}
