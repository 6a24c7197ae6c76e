import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Endpoint } from './endpoint.ts'

/** A process that holds one backend at a time. */
export class Child {
  readonly #process: ChildProcess
  readonly #endpoint: Endpoint
  #closing = false

  constructor() {
    const child = fork(fileURLToPath(new URL('./child-main.ts', import.meta.url)), [], {
      execArgv: ['-C', '@p2pl/source'],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    })
    this.#process = child
    this.#endpoint = new Endpoint({
      send: (message) => {
        if (child.connected) child.send(message as object, () => {})
        else this.#endpoint.fail(new Error('the process of the backend has ended'))
      }
    })
    child.on('message', (message) => this.#endpoint.receive(message))
    child.on('exit', (code, signal) => {
      const error = new Error(`the process of a backend ended by itself (${signal ?? code})`)
      this.#endpoint.fail(error)
      // A check for unhandled rejections sees the crash, even when nobody waits for an answer.
      if (!this.#closing) void Promise.reject(error)
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  async load(module: string): Promise<void> {
    await this.#endpoint.root('load', module)
  }

  async make(module: string, name: string, args: readonly unknown[]): Promise<void> {
    await this.#endpoint.root('make', module, name, args)
  }

  /** The backend's member at this path, such as `['blocks', 'get']`: the result of a method, or the value. */
  async call(path: readonly string[], ...args: readonly unknown[]): Promise<unknown> {
    return await this.#endpoint.root('call', path, args)
  }

  async close(): Promise<void> {
    this.#closing = true
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.disconnect()
    await exited
  }
}
