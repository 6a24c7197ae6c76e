import { describeError, LedgerError } from '../errors.ts'
import type { PeerView, StatusView } from '../service/views.ts'
import { type Branch, branches } from './accounts.ts'
import type { Fleet, Member } from './fleet.ts'

export type Life = 'starting' | 'up' | 'killed'

const patienceMs = 60_000

/** The three peers as they come and go, and what they last said of themselves. */
export class Crew {
  readonly #fleet: Fleet
  readonly #members = new Map<Branch, Member>()
  readonly #statuses = new Map<Branch, StatusView>()
  readonly #lives = new Map<Branch, Life>(branches.map((name) => [name, 'starting']))
  readonly #watchers = new Set<() => void>()
  #say: ((line: string) => void) | undefined

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  get description(): string {
    return this.#fleet.description
  }

  get killing(): string {
    return this.#fleet.killing
  }

  member(name: Branch): Member | undefined {
    return this.#members.get(name)
  }

  life(name: Branch): Life {
    return this.#lives.get(name) ?? 'starting'
  }

  status(name: Branch): StatusView | undefined {
    return this.#statuses.get(name)
  }

  members(): Member[] {
    return branches.flatMap((name) => this.#members.get(name) ?? [])
  }

  /** From now on a peer that ends though nobody here ended it is started again, and `say` is told. */
  keepAlive(say: (line: string) => void): void {
    this.#say = say
  }

  /** Starts a peer and tells it and the others of each other, as a list of known peers would. */
  async start(name: Branch): Promise<void> {
    this.#set(name, 'starting')
    const member = await this.#fleet.start(name)
    const others = this.members()
    this.#members.set(name, member)
    void member.ended?.then(async (how) => await this.#revive(member, how))
    const { self } = await this.refresh(name)
    this.#set(name, 'up')
    for (const other of others) {
      try {
        const known = await other.ledger.status()
        for (const address of dialable(self)) await other.ledger.connect(address)
        for (const address of dialable(known.self)) await member.ledger.connect(address)
      } catch (error) {
        // It ended meanwhile. When it is back, it is introduced itself.
        if (this.#members.get(other.name) === other) throw error
      }
    }
  }

  async kill(name: Branch): Promise<void> {
    const member = this.#members.get(name)
    if (member === undefined) throw new LedgerError('UNAVAILABLE', `${name} does not run`)
    this.#members.delete(name)
    this.#set(name, 'killed')
    await member.kill()
  }

  async stop(): Promise<void> {
    this.#say = undefined
    const members = this.members()
    this.#members.clear()
    await Promise.all(members.map(async (member) => await member.stop()))
  }

  /** Asks a peer how it is. */
  async refresh(name: Branch): Promise<StatusView> {
    const member = this.#members.get(name)
    if (member === undefined) throw new LedgerError('UNAVAILABLE', `${name} does not run`)
    const status = await member.ledger.status({ signal: AbortSignal.timeout(10_000) })
    this.#statuses.set(name, status)
    this.changed()
    return status
  }

  /** The peer, as soon as it is up. */
  async running(name: Branch, signal: AbortSignal): Promise<Member> {
    await this.until(`${name} is up`, () => this.life(name) === 'up' && this.#members.has(name), signal)
    const member = this.#members.get(name)
    if (member === undefined) throw new LedgerError('UNAVAILABLE', `${name} does not run`)
    return member
  }

  /** Resolves when this run of the peer has been ended by us; rejects when it does not answer though nobody ended it. */
  async gone(member: Member, signal: AbortSignal): Promise<void> {
    await this.until(`${member.name} answers`, () => this.#members.get(member.name) !== member, signal, 10_000)
  }

  /** Resolves when the condition holds; it is looked at whenever something changes. */
  async until(
    what: string,
    condition: () => boolean,
    signal: AbortSignal,
    patience: number = patienceMs
  ): Promise<void> {
    if (condition()) return
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#watchers.delete(watch)
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
        settle()
      }
      const watch = (): void => {
        if (condition()) end(resolve)
      }
      const abort = (): void => {
        end(() => {
          reject(signal.reason as Error)
        })
      }
      const timer = setTimeout(() => {
        end(() => {
          reject(new LedgerError('UNAVAILABLE', `not so after ${patience / 1_000} s: ${what}`))
        })
      }, patience)
      this.#watchers.add(watch)
      signal.addEventListener('abort', abort)
    })
  }

  watch(watcher: () => void): void {
    this.#watchers.add(watcher)
  }

  changed(): void {
    for (const watcher of this.#watchers) watcher()
  }

  async #revive(member: Member, how: string): Promise<void> {
    const { name } = member
    // Ended by us, or replaced.
    if (this.#say === undefined || this.#members.get(name) !== member) return
    this.#members.delete(name)
    this.#set(name, 'killed')
    this.#say(`${name} ended (${how}); it is started again`)
    try {
      await this.start(name)
      this.#say(`${name} is back with what it had on disk`)
    } catch (error) {
      this.#set(name, 'killed')
      this.#say(`${name} did not come back: ${describeError(error).message}`)
    }
  }

  #set(name: Branch, life: Life): void {
    this.#lives.set(name, life)
    this.changed()
  }
}

function dialable(self: readonly PeerView[]): PeerView[] {
  return self.filter(({ addresses }) => addresses.length > 0)
}
