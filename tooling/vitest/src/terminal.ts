import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { afterEach } from 'vitest'
import { until } from './wait.ts'

const running = new Set<Terminal>()

afterEach(async () => {
  await Promise.all([...running].map(async (terminal) => await terminal.kill()))
})

/** The commands of a README that start with this word, one per line. */
export function commandsOf(readme: URL, word: string): string[] {
  const blocks = readFileSync(readme, 'utf8').matchAll(/^```sh\n(.*?)^```/gms)
  const lines = [...blocks].flatMap(([, block = '']) => block.split('\n'))
  return lines.filter((line) => line.startsWith(`${word} `))
}

/** A command of a README, run unchanged in a folder. It is killed after the test. */
export class Terminal {
  /** The lines that it has printed. */
  readonly lines: string[] = []
  readonly #command: string
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  /** Not `exit`: lines that it printed before may not have been read yet. */
  readonly #closed: Promise<void>
  #isClosed = false

  /** Packages of the workspace are loaded from their sources. */
  constructor(command: string, cwd: string) {
    const [variables, words] = [/^(?:\w+=\S+ )*/.exec(command)?.[0] ?? '', command.replace(/^(?:\w+=\S+ )*/, '')]
    const [program, ...args] = words.split(' ')
    if (program !== 'node') throw new Error(`"${command}" does not run node`)
    const own = Object.fromEntries(
      variables
        .split(' ')
        .filter(Boolean)
        .map((pair) => pair.split('='))
    )
    this.#command = command
    this.#child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...own, NODE_OPTIONS: '-C @p2pl/source' },
      stdio: ['pipe', 'pipe', 'inherit']
    })
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.lines.push(line))
    this.#closed = new Promise((resolve) => {
      this.#child.once('close', () => {
        this.#isClosed = true
        resolve()
      })
    })
    running.add(this)
  }

  type(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  /** Ctrl-D. */
  endInput(): void {
    this.#child.stdin.end()
  }

  /** Waits for a line that matches, and resolves with the match. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    return await until(`"${this.#command}" prints ${pattern}`, () => {
      const found = this.lines.map((line) => pattern.exec(line)).find((match) => match !== null)
      if (found === undefined && this.#isClosed)
        throw new Error(`"${this.#command}" has ended:\n${this.lines.join('\n')}`)
      return found ?? false
    })
  }

  /** Resolves with the exit code once it has ended by itself, and all of its lines are there. */
  async ended(): Promise<number | null> {
    await this.#closed
    return this.#child.exitCode
  }

  async kill(): Promise<void> {
    running.delete(this)
    this.#child.kill('SIGKILL')
    await this.ended()
  }
}
