export type LevelOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** The part of a database that writes. */
export interface Writer {
  batch(operations: LevelOperation[], options: { sync: boolean }): Promise<void>
}

/**
 * Writes that come while one is under way are joined into the next: one log record, and one wait for the disk, for all of
 * them.
 */
export class WriteQueue {
  readonly #writer: Writer
  readonly #sync: boolean
  #operations: LevelOperation[] = []
  #next: Promise<void> | undefined
  #current: Promise<void> = Promise.resolve()

  /** `sync`: a write resolves when it is on the disk, not only with the operating system. */
  constructor(writer: Writer, sync: boolean) {
    this.#writer = writer
    this.#sync = sync
  }

  write(operations: readonly LevelOperation[]): Promise<void> {
    for (const operation of operations) this.#operations.push(operation)
    this.#next ??= this.#flushAfter(this.#current)
    return this.#next
  }

  #flushAfter(previous: Promise<void>): Promise<void> {
    const flush = previous
      .catch(() => {})
      .then(() => {
        const operations = this.#operations
        this.#operations = []
        this.#next = undefined
        return this.#writer.batch(operations, { sync: this.#sync })
      })
    this.#current = flush
    return flush
  }
}
