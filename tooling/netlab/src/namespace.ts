import { type ChildProcess, execFile, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Root needs no user namespace. On some machines nobody may create networks in one. */
const isRoot = process.getuid?.() === 0
const unshare = ['unshare', ...(isRoot ? [] : ['--user', '--map-root-user']), '--net']

/** A network namespace. It lives as long as a process that waits for the end of its input, which this process holds. */
export class Namespace {
  readonly #holder: ChildProcess
  readonly #children = new Set<ChildProcess>()

  private constructor(holder: ChildProcess) {
    this.#holder = holder
  }

  /** `within`: the namespace whose user namespace it shares, so that links can be moved from there. */
  static async open(within?: Namespace): Promise<Namespace> {
    const [command, ...args] = within === undefined ? [...unshare, 'cat'] : within.inside('unshare', '--net', 'cat')
    const holder = spawn(command as string, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = once(holder, 'exit').then(([code]) => {
      throw new Error(`no network namespace: ${command} ended with ${String(code)}`)
    })
    ended.catch(() => {})
    holder.stdin.write('\n')
    // Its echo shows that it runs inside.
    await Promise.race([once(holder.stdout, 'data'), ended])
    return new Namespace(holder)
  }

  get pid(): number {
    return this.#holder.pid as number
  }

  /** Runs a command and waits for its end. */
  async run(...words: string[]): Promise<string> {
    const [command, ...args] = this.inside(...words)
    return (await run(command as string, args)).stdout
  }

  /** Runs a TypeScript program with a channel to this process. It is killed with the namespace. */
  fork(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const [execPath, ...execArgv] = this.inside(process.execPath, '-C', '@p2pl/source')
    const child = fork(script, args, {
      execPath: execPath as string,
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...env }
    })
    this.#children.add(child)
    child.on('exit', () => this.#children.delete(child))
    return child
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children, this.#holder].map((child) => kill(child)))
  }

  /** The command line that runs a command inside. */
  inside(...words: string[]): string[] {
    const user = isRoot ? [] : ['--user', '--preserve-credentials']
    return ['nsenter', '--target', String(this.pid), ...user, '--net', ...words]
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** What this machine lacks for a network. A missing package can be installed, but a prohibition by the machine is final. */
export interface Missing {
  readonly reason: string
  readonly canBeInstalled: boolean
}

export function missingNetwork(): Missing | undefined {
  if (process.platform !== 'linux') return { reason: 'network namespaces exist on Linux only', canBeInstalled: false }
  for (const [command, version, debian] of [
    ['unshare', '--version', 'util-linux'],
    ['ip', '-Version', 'iproute2'],
    ['nft', '--version', 'nftables']
  ] as const)
    if (!runs(command, version))
      return { reason: `the command ${command} is missing: install ${debian}`, canBeInstalled: true }
  const probe = 'ip link add name probe0 type bridge && ip link add name probe1 type veth && nft add table inet probe'
  if (runs(...unshare, 'sh', '-c', probe)) return undefined
  const fix = 'run as root, or allow user namespaces'
  return { reason: `no network namespace with bridges and nftables can be made here: ${fix}`, canBeInstalled: false }
}

function runs(...[command = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}
