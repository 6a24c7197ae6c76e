import type { Digest, View } from '@p2pl/sync'
import type { Summary } from '../state/ledger-state.ts'

export interface MomentOptions {
  readonly follower: { caughtUp(): Promise<void> }
  readonly view: Pick<View, 'digest'>
  readonly state: { summary(): Promise<Summary | undefined> }
}

/** If entries never stop arriving, the root may be a few of them behind. */
const mostTries = 8

/** Root, counts and balances of the same entries, so that two peers with the same root never show different balances. */
export async function momentOf({ follower, view, state }: MomentOptions): Promise<Digest & Summary> {
  for (let tries = 1; ; tries++) {
    await follower.caughtUp()
    const digest = await view.digest()
    const summary = await state.summary()
    if (summary === undefined) continue
    if (summary.entries === digest.count || tries >= mostTries) return { ...digest, ...summary }
  }
}
