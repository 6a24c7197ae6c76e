import type { Link } from './link.ts'
import type { Want } from './want.ts'

/** A smaller difference (ms) does not justify a move. */
const slack = 20

/**
 * Moves wants from slow peers to peers that will soon be idle. Returns the peers that have to be told. The last want of
 * a slow peer is sent to both peers, because its bytes may be on their way.
 */
export function share(links: readonly Link[], rate: number, now: number): Set<Link> {
  const touched = new Set<Link>()
  for (const quick of links) {
    if (!quick.isLow || quick.misses > 0 || quick.stalled || !quick.hasRoom) continue
    const slow = slowest(links, quick, rate)
    if (slow === undefined) continue
    const owed = slow.owed().filter((want) => canMove(want, quick))
    for (const want of owed.slice(0, Math.ceil(owed.length / 2))) {
      if (slow.expected(rate) < quick.expected(rate) || !quick.hasRoom) break
      if (slow.size > 1) {
        slow.cancel(want)
        want.at.length = 0
      }
      quick.want(want, now)
      touched.add(slow).add(quick)
    }
  }
  return touched
}

function slowest(links: readonly Link[], quick: Link, rate: number): Link | undefined {
  let found: Link | undefined
  let most = 2 * quick.expected(rate) + slack
  for (const link of links) {
    const expected = link.expected(rate)
    if (link === quick || link.size === 0 || expected <= most) continue
    most = expected
    found = link
  }
  return found
}

function canMove(want: Want, to: Link): boolean {
  return want.at.length === 1 && !want.lacking.has(to)
}
