import { Key, type Datastore } from 'interface-datastore'
import { OuterDatastore } from './outer-datastore.ts'

/** The engine's keys of what it knows about peers: /peers/<peer id as a CID>. */
const prefix = '/peers/'
/** How many peers are forgotten together. */
const together = 64

/**
 * The datastore of the engine, with a limit on the peers that it remembers: the engine itself remembers every peer that
 * it hears of. The peer that was not heard of for the longest time is forgotten first. Peers for which `keeps` returns
 * the CID are never forgotten.
 */
export class KnownPeers extends OuterDatastore {
  readonly #most: number
  readonly #keeps: () => ReadonlySet<string>
  /** The peer that was heard of last is last. */
  readonly #names = new Set<string>()
  #loading: Promise<void> | undefined

  constructor(inner: Datastore, most: number, keeps: () => ReadonlySet<string>) {
    super(inner)
    this.#most = most
    this.#keeps = keeps
  }

  override async put(key: Key, value: Uint8Array): Promise<Key> {
    const name = key.toString()
    if (name.startsWith(prefix)) {
      await (this.#loading ??= this.#load())
      this.#names.delete(name)
      this.#names.add(name)
      if (this.#names.size > this.#most) await this.#forget(name)
    }
    return await this.inner.put(key, value)
  }

  override async delete(key: Key): Promise<void> {
    this.#names.delete(key.toString())
    await this.inner.delete(key)
  }

  /** Loads the peers of earlier runs. */
  async #load(): Promise<void> {
    for await (const key of this.inner.queryKeys({ prefix })) this.#names.add(key.toString())
  }

  async #forget(latest: string): Promise<void> {
    const kept = this.#keeps()
    const leaving: string[] = []
    for (const name of this.#names) {
      if (leaving.length === together) break
      if (name !== latest && !kept.has(name.slice(prefix.length))) leaving.push(name)
    }
    await Promise.all(leaving.map(async (name) => await this.delete(new Key(name, false))))
  }
}
