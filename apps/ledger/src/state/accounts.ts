import { BoundedMap, Heap } from '@p2pl/core/backend'
import { judge, type Standing } from '../rules/outcome.ts'
import { clockOfKey, firstOfClock, type Key } from './keys.ts'
import { LineTails, type Place } from './line-tails.ts'
import { LinesAhead } from './lines-ahead.ts'
import type { AccountRow, Judgement, Line, OwnLine } from './rows.ts'
import type { Table } from './table.ts'

/** An entry as the accounts see it. */
export interface Posting {
  readonly key: Key
  readonly author: string
  readonly sequence: number
  /** 0 for a record. */
  readonly amount: bigint
  readonly to?: string | undefined
}

/** A line that must be counted again, together with all later lines of its account. */
interface Mark {
  readonly account: string
  readonly key: Key
  /** The author's line comes before the receiver's line of the same entry. */
  readonly own: boolean
}

export interface AccountsOptions {
  readonly lines: Table<Line>
  readonly accounts: Table<AccountRow>
  readonly initial: ReadonlyMap<string, bigint>
  /** Called for each entry whose outcome changed. */
  readonly onJudged: (key: Key, before: Judgement, after: Judgement) => void
}

/** How many accounts keep their lines in memory during counting. */
const countedTogether = 64

/**
 * The accounts after all entries. A late entry costs one step for each later line of the accounts that it touches: its
 * author's account, and its receiver's if the transfer counts. No other account is counted again.
 */
export class Accounts {
  readonly #options: AccountsOptions
  /**
   * The first line of each account that must be counted again. {@link settle} does this work, and may be interrupted at
   * any time.
   */
  readonly marks: Map<string, Mark> = new Map()
  readonly #order = new Heap<Mark>(isBefore)
  readonly #tails = new LineTails()
  /** Lines in memory during counting. */
  readonly #ahead = new BoundedMap<string, LinesAhead>(countedTogether)

  constructor(options: AccountsOptions, marks: Iterable<Mark>) {
    this.#options = options
    for (const mark of marks) this.#mark(mark)
  }

  /** Adds an entry, in any order. An entry that comes last in its accounts is counted now, all others by {@link settle}. */
  async add(posting: Posting): Promise<void> {
    const { key, author, to, sequence, amount } = posting
    const own = await this.#placeOf(author, key)
    const receiver = to === undefined ? undefined : await this.#placeOf(to, key)
    // No `await` from here on, so that the store never has only a part of the entry.
    const line: OwnLine = { ...own.before, own: true, sequence, amount, to, outcome: 'unjudged' }
    const inOrder = this.marks.size === 0 && own.isLast && receiver?.isLast !== false
    const after = inOrder ? judge(own.before, line) : line
    this.#put(author, key, { ...line, ...after }, own)
    if (to !== undefined && receiver !== undefined) {
      const counts = after.outcome === 'accepted'
      const balance = counts ? receiver.before.balance + amount : receiver.before.balance
      this.#put(to, key, { ...receiver.before, balance, own: false, amount, counts }, receiver)
    }
    if (inOrder) this.#options.onJudged(key, 'unjudged', after.outcome)
    else this.#mark({ account: author, key, own: true })
  }

  /** Counts marked lines in canonical order, at most this many. */
  async settle(most: number): Promise<void> {
    let left = most
    for (let mark = this.#next(); mark !== undefined && left > 0; mark = this.#next())
      left -= await this.#count(mark, left)
    this.#ahead.clear()
  }

  async standing(account: string): Promise<Standing> {
    return (await this.#options.accounts.get(account)) ?? { balance: this.#initial(account), next: 0 }
  }

  async line(account: string, key: Key): Promise<Line | undefined> {
    return await this.#options.lines.get(lineKey(account, key))
  }

  /** The lines of an account after a key, in canonical order or in reverse. */
  async *lines(account: string, after: Key | undefined, reverse: boolean): AsyncGenerator<Key> {
    const [first, end] = [lineKey(account, ''), lineEnd(account)]
    const range = reverse
      ? { from: first, to: after === undefined ? end : lineKey(account, after), reverse }
      : { from: after === undefined ? first : `${lineKey(account, after)}\0`, to: end }
    for await (const [key] of this.#options.lines.scan(range)) yield key.slice(first.length)
  }

  /**
   * The entry that used up a number of an account. The numbers never decrease along the lines, so a binary search finds
   * it.
   */
  async holderOf(account: string, sequence: number): Promise<Key | undefined> {
    const row = await this.#options.accounts.get(account)
    if (row === undefined || row.next <= sequence) return undefined
    const isPast = async (clock: number): Promise<boolean> => {
      const range = { from: lineKey(account, firstOfClock(clock)), to: lineEnd(account), limit: 1 }
      for await (const [, { next }] of this.#options.lines.scan(range)) return next > sequence
      return true
    }
    let [low, high] = [0, clockOfKey(row.last)]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (await isPast(middle)) high = middle
      else low = middle + 1
    }
    // Several lines may have the same clock.
    const from = lineKey(account, firstOfClock(Math.max(0, low - 1)))
    for await (const [key, { next }] of this.#options.lines.scan({ from, to: lineEnd(account) })) {
      if (next > sequence) return key.slice(lineKey(account, '').length)
    }
    return undefined
  }

  /** The first mark in order. */
  #next(): Mark | undefined {
    for (let mark = this.#order.first; mark !== undefined; mark = this.#order.first) {
      if (this.marks.get(mark.account) === mark) return mark
      this.#order.pop()
    }
    return undefined
  }

  /** Counts the lines of one account until a line of another account comes first. Returns the number of counted lines. */
  async #count(mark: Mark, most: number): Promise<number> {
    const { account } = mark
    const ahead = await this.#linesAhead(mark)
    this.#order.pop()
    for (let counted = 0; ; counted++) {
      const next = await ahead.next()
      if (next === undefined) {
        this.marks.delete(account)
        const last = ahead.last
        if (last !== undefined) this.#options.accounts.put(account, { ...ahead.before, last })
        return counted
      }
      const [key, line] = next
      const at: Mark = { account, key, own: line.own }
      const other = this.#next()
      if (counted === most || (other !== undefined && other.account !== account && isBefore(other, at))) {
        this.marks.set(account, at)
        this.#order.push(at)
        return counted
      }
      // Counting it again from an older mark would give the same result.
      const after = line.own ? this.#judged(key, line, ahead.before) : countReceived(line, ahead.before)
      this.#put(account, key, after)
      ahead.counted(after)
    }
  }

  #judged(key: Key, line: OwnLine, before: Standing): OwnLine {
    const after = { ...line, ...judge(before, line) }
    if (line.outcome === after.outcome) return after
    this.#options.onJudged(key, line.outcome, after.outcome)
    const counts = after.outcome === 'accepted'
    if (line.to === undefined || counts === (line.outcome === 'accepted')) return after
    const { balance, next } = before
    const received: Line = { balance, next, own: false, amount: line.amount, counts }
    this.#put(line.to, key, received)
    this.#mark({ account: line.to, key, own: false })
    if (this.#ahead.get(line.to)?.replace(key, received) === false) this.#ahead.delete(line.to)
    return after
  }

  #mark(mark: Mark): void {
    const known = this.marks.get(mark.account)
    if (known !== undefined && known.key <= mark.key) return
    this.marks.set(mark.account, mark)
    this.#order.push(mark)
  }

  async #linesAhead({ account, key }: Mark): Promise<LinesAhead> {
    const known = this.#ahead.touch(account)
    if (known !== undefined) return known
    const before = await this.#before(account, key)
    const ahead = new LinesAhead(async (from, limit) => await this.#linesFrom(account, from, limit), key, before)
    this.#ahead.set(account, ahead)
    return ahead
  }

  async #linesFrom(account: string, key: Key, limit: number): Promise<[Key, Line][]> {
    const kept = this.#tails.from(account, key, limit)
    if (kept !== undefined) return kept
    const prefix = lineKey(account, '').length
    const lines: [Key, Line][] = []
    for await (const [row, line] of this.#options.lines.scan({
      from: lineKey(account, key),
      to: lineEnd(account),
      limit
    }))
      lines.push([row.slice(prefix), line])
    return lines
  }

  /** The state of an account before a line, and whether the line is the first or last of the account. */
  async #placeOf(account: string, key: Key): Promise<Place & { before: Standing }> {
    const row = await this.#options.accounts.get(account)
    if (row === undefined) {
      return { before: { balance: this.#initial(account), next: 0 }, isFirst: true, isLast: true }
    }
    const { balance, next, last } = row
    if (last < key) return { before: { balance, next }, isFirst: false, isLast: true }
    return { before: await this.#before(account, key), isFirst: false, isLast: false }
  }

  async #before(account: string, key: Key): Promise<Standing> {
    const kept = this.#tails.before(account, key)
    if (kept === undefined) return { balance: this.#initial(account), next: 0 }
    if (kept !== 'unknown') return { balance: kept.balance, next: kept.next }
    const range = { from: lineKey(account, ''), to: lineKey(account, key), reverse: true, limit: 1 }
    for await (const [, { balance, next }] of this.#options.lines.scan(range)) return { balance, next }
    return { balance: this.#initial(account), next: 0 }
  }

  #put(account: string, key: Key, line: Line, place: Place = { isFirst: false, isLast: false }): void {
    this.#options.lines.put(lineKey(account, key), line)
    this.#tails.put(account, key, line, place)
    if (place.isLast) this.#options.accounts.put(account, { balance: line.balance, next: line.next, last: key })
  }

  #initial(account: string): bigint {
    return this.#options.initial.get(account) ?? 0n
  }
}

function countReceived(line: Extract<Line, { own: false }>, { balance, next }: Standing): Line {
  return { ...line, balance: line.counts ? balance + line.amount : balance, next }
}

function isBefore(a: Mark, b: Mark): boolean {
  return a.key === b.key ? a.own && !b.own : a.key < b.key
}

function lineKey(account: string, key: Key): string {
  return `${account}/${key}`
}

/** A key after all lines of the account: "0" comes after "/". */
function lineEnd(account: string): string {
  return `${account}0`
}
