import { flood, replay } from '@p2pl/simulator'
import type { Ending, Stranger } from '@p2pl/simulator'
import { echoes, poisonedCounts, questions } from './echoes.ts'
import { falseAnswers, headBomb, inventedParents, repairFlood } from './floods.ts'
import { topic } from './forge.ts'
import { longLies, wrongInnerSignatures } from './liars.ts'
import { randomRoots, refusedEntries, silentServer, slowServer, wrongClocks } from './roots.ts'

export interface Attack {
  readonly begin: (stranger: Stranger) => Ending
  /** It adds entries to the view: it ends when writing ends. */
  readonly writes?: boolean
  /** Its entries come as an index, so honest peers have to pass them on. */
  readonly passedOn?: boolean
}

/** All attacks, by name. */
export const attacks: Readonly<Record<string, Attack>> = {
  'a random root every 3 s': { begin: (stranger) => randomRoots(stranger, 1 / 3) },
  'a burst of 150 random roots': { begin: (stranger) => randomRoots(stranger, 20, 150) },
  'refused entries': { begin: (stranger) => refusedEntries(stranger, 1) },
  'wrong clocks': { begin: (stranger) => wrongClocks(stranger, 5) },
  'a slow server': { begin: (stranger) => slowServer(stranger, 3, 900) },
  'a silent server': { begin: (stranger) => silentServer(stranger, 10) },
  'poisoned counts': { begin: (stranger) => poisonedCounts(stranger, 20) },
  echoes: { begin: (stranger) => echoes(stranger, 20) },
  questions: { begin: (stranger) => questions(stranger, 10) },
  'repair requests': { begin: (stranger) => repairFlood(stranger, 50) },
  'false answers': { begin: (stranger) => falseAnswers(stranger, 10) },
  'invented parents': { begin: (stranger) => inventedParents(stranger, 10) },
  'a head bomb': { begin: (stranger) => headBomb(stranger, 10), writes: true },
  'wrong inner signatures': { begin: (stranger) => wrongInnerSignatures(stranger, 3), writes: true, passedOn: true },
  'long lies': { begin: (stranger) => longLies(stranger, 1), writes: true, passedOn: true },
  replays: { begin: (stranger) => replay(stranger, topic, { after: 700, copies: 3 }) },
  noise: { begin: (stranger) => flood(stranger, topic, { perSecond: 50 }) }
}
