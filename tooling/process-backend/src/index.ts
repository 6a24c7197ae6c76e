import { Child } from './child.ts'
import { remoteBackend, type BackendSource, type RemoteBackend } from './remote.ts'

export type { BackendSource, RemoteBackend } from './remote.ts'

/** Processes that are used again and again: each holds one backend at a time. */
export class ProcessPool {
  readonly #all = new Set<Child>()
  readonly #free: Child[] = []
  readonly #taken = new Map<RemoteBackend, Child>()

  /**
   * Starts so many processes, and loads the module into each, so that the start of a backend does not take the time of a
   * process.
   */
  async warm(count: number, module: string): Promise<void> {
    const start = async (): Promise<void> => {
      const child = this.#start()
      await child.load(module)
      this.#free.push(child)
    }
    await Promise.all(Array.from({ length: count }, start))
  }

  /** A backend, not started, in a process that holds no other one. */
  take(source: BackendSource): RemoteBackend {
    const child = this.#free.pop() ?? this.#start()
    const backend = remoteBackend(child, source)
    this.#taken.set(backend, child)
    return backend
  }

  /** Its process may hold another one from here on. It must be stopped. */
  release(backend: RemoteBackend): void {
    const child = this.#taken.get(backend)
    if (child !== undefined) this.#free.push(child)
    this.#taken.delete(backend)
  }

  pidOf(backend: RemoteBackend): number | undefined {
    return this.#taken.get(backend)?.pid
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((child) => child.close()))
    this.#all.clear()
  }

  #start(): Child {
    const child = new Child()
    this.#all.add(child)
    return child
  }
}
