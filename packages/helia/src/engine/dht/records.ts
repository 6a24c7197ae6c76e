import { Key, type Datastore, type Pair, type Query } from 'interface-datastore'
import { OuterDatastore } from '../outer-datastore.ts'
import { newBreather } from '../streams/breather.ts'

/** The engine's keys of provider records: /dht/provider/<multihash>/<peer id>. */
const prefix = '/dht/provider/'
/** How many records of one peer are removed together to make room. */
const together = 64

/**
 * The datastore of the DHT, with a limit on the records of other peers. While it is full, a peer with more than its
 * share of records adds none, and a peer with fewer replaces records of the peer with the most. Records of this node
 * are not counted.
 */
export class BoundedRecords extends OuterDatastore {
  readonly #self: string
  readonly #most: number
  /** The keys of the records of each peer. */
  readonly #owners = new Map<string, Set<string>>()
  #count = 0
  #loading: Promise<void> | undefined

  constructor(inner: Datastore, self: string, most: number) {
    super(inner)
    this.#self = self
    this.#most = most
  }

  override async put(key: Key, value: Uint8Array): Promise<Key> {
    const name = key.toString()
    const owner = this.#ownerOf(name)
    if (owner !== undefined) {
      await (this.#loading ??= this.#load())
      if (!this.#has(owner, name)) {
        if (this.#count >= this.#most && !(await this.#makeRoom(owner))) return key
        this.#add(owner, name)
      }
    }
    return await this.inner.put(key, value)
  }

  override async delete(key: Key): Promise<void> {
    await this.inner.delete(key)
    this.#remove(key.toString())
  }

  /** The engine reads all records once an hour. */
  override async *_all(query: Query): AsyncGenerator<Pair> {
    const breather = newBreather()
    for await (const pair of this.inner.query(query)) {
      await breather.before(0)
      yield pair
    }
  }

  /** Loads the records of earlier runs. */
  async #load(): Promise<void> {
    for await (const key of this.inner.queryKeys({ prefix })) {
      const name = key.toString()
      const owner = this.#ownerOf(name)
      if (owner !== undefined && !this.#has(owner, name)) this.#add(owner, name)
    }
  }

  #ownerOf(name: string): string | undefined {
    if (!name.startsWith(prefix)) return undefined
    const owner = name.slice(name.lastIndexOf('/') + 1)
    return owner === this.#self ? undefined : owner
  }

  #has(owner: string, name: string): boolean {
    return this.#owners.get(owner)?.has(name) === true
  }

  #add(owner: string, name: string): void {
    const names = this.#owners.get(owner) ?? new Set()
    this.#owners.set(owner, names.add(name))
    this.#count++
  }

  #remove(name: string): void {
    const owner = this.#ownerOf(name)
    const names = owner === undefined ? undefined : this.#owners.get(owner)
    if (owner === undefined || names?.delete(name) !== true) return
    this.#count--
    if (names.size === 0) this.#owners.delete(owner)
  }

  /** Whether the peer may add a record, which is so if another peer has more. */
  async #makeRoom(owner: string): Promise<boolean> {
    const own = this.#owners.get(owner)?.size ?? 0
    if (own >= Math.floor(this.#most / (this.#owners.size + (own === 0 ? 1 : 0)))) return false
    let largest = new Set<string>()
    for (const names of this.#owners.values()) if (names.size > largest.size) largest = names
    const leaving: string[] = []
    for (const name of largest) {
      if (leaving.length === together || largest.size - leaving.length <= own + 1) break
      leaving.push(name)
    }
    for (const name of leaving) this.#remove(name)
    await Promise.all(leaving.map(async (name) => await this.inner.delete(new Key(name, false))))
    return leaving.length > 0
  }
}
