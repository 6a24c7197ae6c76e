import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { P2plError } from '@p2pl/core'
import type { GlobalOptions } from '../context.ts'
import type { Answer, Answers } from './other.ts'

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** The second process of a bench, on the same network as this one. */
export class OtherProcess {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, Pending>()
  #asked = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', ({ id, value, error }: Answer) => {
      const pending = this.#pending.get(id)
      this.#pending.delete(id)
      if (error === undefined) pending?.resolve(value)
      else pending?.reject(failure(error))
    })
    child.on('error', ({ message }) => this.#fail(message))
    child.on('exit', () => this.#fail('it has ended'))
  }

  #fail(reason: string): void {
    for (const { reject } of this.#pending.values()) reject(failure(reason))
    this.#pending.clear()
  }

  static async start(topic: string, { backend, config, timeout }: GlobalOptions): Promise<OtherProcess> {
    const options = Object.entries({ backend, config, timeout })
    const words = options.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]))
    const child = fork(process.argv[1] ?? '', [...words, 'bench', '--other', topic], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc']
    })
    const other = new OtherProcess(child)
    // The process sends 0 when it is ready.
    await new Promise((resolve, reject) => other.#pending.set(0, { resolve, reject }))
    return other
  }

  async ask<Name extends keyof Answers>(
    name: Name,
    ...values: Parameters<Answers[Name]>
  ): Promise<Awaited<ReturnType<Answers[Name]>>> {
    const id = ++this.#asked
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      // Without this callback, an error of a child process that has ended would end this process.
      this.#child.send({ id, name, values }, (error) => {
        if (error !== null) reject(failure(error.message))
      })
    })
    return (await answer) as Awaited<ReturnType<Answers[Name]>>
  }

  /** The child process ends by itself when the channel is closed. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    if (this.#child.connected) this.#child.disconnect()
    await ended
  }
}

function failure(reason: string): P2plError {
  return new P2plError({
    code: 'ENGINE',
    operation: 'bench',
    message: `the second process of the bench failed: ${reason}`
  })
}
