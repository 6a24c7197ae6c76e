import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { until } from '@p2pl/tooling-vitest'
import { onTestFinished } from 'vitest'
import { type Child, launch, p2pl, parse, type Place } from './launch.ts'

export { p2pl, parse, type Place } from './launch.ts'

/** The JSON values that a command prints, which must succeed. */
export async function values<T>(place: Place, args: readonly string[], input?: string | Uint8Array): Promise<T[]> {
  const { code, stdout, stderr } = await p2pl(place, ['--json', ...args], input)
  if (code !== 0) throw new Error(`p2pl ${args.join(' ')} ended with ${code}: ${stderr}`)
  return parse(stdout) as T[]
}

export async function value<T>(place: Place, args: readonly string[], input?: string | Uint8Array): Promise<T> {
  const [first, ...rest] = await values<T>(place, args, input)
  if (first === undefined || rest.length > 0)
    throw new Error(`p2pl ${args.join(' ')} gave ${rest.length + (first === undefined ? 0 : 1)} values`)
  return first
}

/** A command that goes on until it is ended. It is killed after the test. */
export class Running {
  readonly stdout: string[] = []
  readonly stderr: string[] = []
  readonly child: Child
  readonly #name: string
  readonly #ended: Promise<number | null>
  #isOver = false

  constructor(place: Place, ...args: readonly string[]) {
    this.#name = `p2pl ${args.join(' ')}`
    this.child = launch(place, args)
    this.child.stdin.on('error', () => undefined)
    // Not its exit: what it has printed may be read later.
    this.#ended = once(this.child, 'close').then(([code]) => {
      this.#isOver = true
      return code as number | null
    })
    for (const name of ['stdout', 'stderr'] as const)
      createInterface({ input: this.child[name] }).on('line', (line) => this[name].push(line))
    onTestFinished(async () => {
      this.child.kill('SIGKILL')
      await this.#ended
    })
  }

  /** Waits for a line that matches, and gives the match. */
  async prints(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    return await until(`"${this.#name}" prints ${pattern}`, () => {
      const match = this[stream].map((line) => pattern.exec(line)).find((found) => found !== null)
      if (match === undefined && this.#isOver) throw new Error(`${this.#name} has ended: ${this.stderr.join('\n')}`)
      return match ?? false
    })
  }

  /** The address that it prints for other machines. */
  async address(): Promise<string> {
    const [, address = ''] = await this.prints(/--connect (\S+)/, 'stderr')
    return address
  }

  type(line: string): void {
    this.child.stdin.write(`${line}\n`)
  }

  /** Ctrl-C. Gives the exit code. */
  async interrupt(): Promise<number | null> {
    this.child.kill('SIGINT')
    return await this.#ended
  }

  async ended(): Promise<number | null> {
    return await this.#ended
  }
}
