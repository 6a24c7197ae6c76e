// Runs a script of the workspace from a fresh clone, on the Node that npm runs on. It installs first if needed, and
// says so at once, because the first time takes a while.
import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import process from 'node:process'
import { createInterface } from 'node:readline'

const [pnpm = '', script = '', ...args] = process.argv.slice(2)
const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))

/** The workspace brings its own Node for these platforms, as npm packages. On other platforms it uses the existing Node. */
const carried = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
const needed = '22.19'
if (!(carried in optionalDependencies) && !isAtLeast(process.versions.node, needed)) {
  console.error(
    `The workspace brings no Node for ${process.platform} on ${process.arch}, and Node ${process.versions.node} is too old: ` +
      `install Node 24 (at least ${needed}), from nodejs.org or by a package manager, and run this again.`
  )
  process.exit(1)
}

// On Ctrl-C the script ends by itself, and this process after it.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => undefined)

if (isStale()) {
  console.error('Installing what the workspace needs, by pnpm. The first time takes about half a minute.')
  // The stdout of a script is its result, so progress goes to stderr.
  const code = await npx(['install', '--reporter=append-only'], ['ignore', 'pipe', 'pipe'])
  if (code !== 0) process.exit(code)
}
process.exit(await npx(['run', '--silent', script, ...args], 'inherit'))

/** Whether the installed packages are older than the lockfile. */
function isStale() {
  const installed = statSync('node_modules/.modules.yaml', { throwIfNoEntry: false })
  return installed === undefined || installed.mtimeMs < statSync('pnpm-lock.yaml').mtimeMs
}

function isAtLeast(version, least) {
  const [major, minor] = version.split('.').map(Number)
  const [leastMajor, leastMinor] = least.split('.').map(Number)
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}

/** Resolves with the exit code. */
function npx(parameters, stdio) {
  const child = spawn('npx', ['--yes', pnpm, ...parameters], { stdio, shell: process.platform === 'win32' })
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', (line) => {
      // It runs on npm's Node, but the scripts use the workspace's Node.
      if (!line.includes('Unsupported engine')) console.error(line)
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}
