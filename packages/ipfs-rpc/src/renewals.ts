import { readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isP2plError } from '@p2pl/core/backend'
import type { Engine } from './engine.ts'
import { announce } from './announce.ts'

const maxEntries = 100_000
const perTick = 8
const saveDelay = 500

/**
 * What was provided and is to stay so: each is announced again after `interval`. With a file the list outlives the
 * process; entries that it brings back are announced again at the first opportunity.
 */
export class Renewals {
  readonly #engine: Engine
  readonly #interval: number
  readonly #file: string | undefined
  // CID to the time of its last announcement (performance.now), oldest first.
  readonly #entries = new Map<string, number>()
  #renewing = false
  #saving: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  /** `interval`: milliseconds; 0 for never. */
  constructor(engine: Engine, interval: number, file: string | undefined) {
    this.#engine = engine
    this.#interval = interval
    this.#file = file
    engine.kubo.health.on((event) => {
      if (event.type === 'look') this.#tick()
    })
  }

  start(): void {
    if (this.#file === undefined) return
    for (const cid of load(this.#file)) if (!this.#entries.has(cid)) this.#entries.set(cid, -Infinity)
  }

  async stop(): Promise<void> {
    if (this.#saving !== undefined) {
      clearTimeout(this.#saving)
      this.#save()
    }
    await this.#writing
    this.#entries.clear()
  }

  add(cid: string): void {
    const known = this.#entries.delete(cid)
    this.#entries.set(cid, performance.now())
    if (this.#entries.size > maxEntries)
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        this.#engine.warn(`more than ${maxEntries} provider records to renew: the oldest is left to expire`)
        break
      }
    if (!known) this.#saveSoon()
  }

  delete(cid: string): void {
    if (this.#entries.delete(cid)) this.#saveSoon()
  }

  #tick(): void {
    if (this.#interval === 0 || this.#renewing) return
    this.#renewing = true
    // Not awaited: an announcement may take a minute, and the next look at the daemon must not wait for it.
    void this.#renewDue().finally(() => {
      this.#renewing = false
    })
  }

  async #renewDue(): Promise<void> {
    let left = perTick
    const due = performance.now() - this.#interval
    for (const [cid, last] of this.#entries) {
      if (last > due || left-- === 0) return
      try {
        const signal = AbortSignal.any([this.#engine.life, AbortSignal.timeout(60_000)])
        await announce(this.#engine, cid, signal)
      } catch (error) {
        // Without the block there is nothing to announce; anything else is tried again at the next look.
        if (!isP2plError(error, 'NOT_FOUND')) return
        this.delete(cid)
        continue
      }
      if (this.#entries.delete(cid)) this.#entries.set(cid, performance.now())
    }
  }

  #saveSoon(): void {
    if (this.#file === undefined || this.#saving !== undefined) return
    this.#saving = setTimeout(() => this.#save(), saveDelay)
    this.#saving.unref()
  }

  #save(): void {
    const file = this.#file
    this.#saving = undefined
    if (file === undefined) return
    const text = JSON.stringify([...this.#entries.keys()])
    this.#writing = this.#writing.then(async () => {
      try {
        await mkdir(dirname(file), { recursive: true })
        await writeFile(`${file}.new`, text)
        await rename(`${file}.new`, file)
      } catch (error) {
        this.#engine.warn(`the list of provided content could not be written: ${String(error)}`)
      }
    })
  }
}

function load(file: string): string[] {
  try {
    const list: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return Array.isArray(list) ? list.filter((cid): cid is string => typeof cid === 'string').slice(-maxEntries) : []
  } catch {
    return []
  }
}
