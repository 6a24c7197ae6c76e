import { Child } from './child.ts'
import { remoteBackend, type BackendSource, type RemoteBackend } from './remote.ts'

export type { BackendSource, RemoteBackend } from './remote.ts'

/** A pool of reusable processes. Each holds one backend at a time. */
export class ProcessPool {
  readonly #all = new Set<Child>()
  readonly #free: Child[] = []
  readonly #taken = new Map<RemoteBackend, Child>()

  /**
   * Starts this many processes and loads the module into each, so that starting a backend does not include the start of
   * a process.
   */
  async warm(count: number, module: string): Promise<void> {
    const start = async (): Promise<void> => {
      const child = this.#start()
      await child.load(module)
      this.#free.push(child)
    }
    await Promise.all(Array.from({ length: count }, start))
  }

  /** A backend, not started, in a process without another one. */
  take(source: BackendSource): RemoteBackend {
    const child = this.#free.pop() ?? this.#start()
    const backend = remoteBackend(child, source)
    this.#taken.set(backend, child)
    return backend
  }

  /** Its process may hold another backend from now on. The backend must be stopped. */
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
