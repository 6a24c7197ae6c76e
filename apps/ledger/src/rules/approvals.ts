/** An entry as the approvals see it. */
export interface Approvable {
  readonly author: string
  readonly parents: readonly Approvable[]
  /** One bit for each witness that has an entry that approves this one, directly or through others. */
  approvedBy: number
}

/**
 * Counts confirmations as entries come in, parents before children. A witness's bit is handed down until it meets an
 * entry that has it: everything below has it, too. So each entry gets each bit once, in all.
 */
export class Approvals {
  readonly #bits: ReadonlyMap<string, number>

  constructor(witnesses: readonly string[]) {
    this.#bits = new Map(witnesses.map((account, i) => [account, 1 << i]))
  }

  /** Calls `confirmed` for each entry that gained a confirmation. */
  add(entry: Approvable, confirmed: (entry: Approvable) => void): void {
    const bit = this.#bits.get(entry.author)
    if (bit === undefined) return
    const open: Approvable[] = [...entry.parents]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if ((next.approvedBy & bit) !== 0) continue
      next.approvedBy |= bit
      confirmed(next)
      for (const parent of next.parents) open.push(parent)
    }
  }

  witnessesOf(entry: Approvable): string[] {
    return [...this.#bits].filter(([, bit]) => (entry.approvedBy & bit) !== 0).map(([account]) => account)
  }
}

/** How many witnesses approve the entry. */
export function confirmations(entry: Approvable): number {
  let count = 0
  for (let rest = entry.approvedBy; rest !== 0; rest &= rest - 1) count++
  return count
}
