export { checkBackend, checkIdentity, checkPeer } from './actors.ts'
export { backoff, type BackoffOptions } from './backoff.ts'
export { BoundedMap } from './bounded-map.ts'
export { Breather, type BreatherOptions } from './breather.ts'
export { Budget, type BudgetOptions } from './budget.ts'
export { bytesKey, compactBytes, compareBytes, concatBytes, equalBytes, isBytes, plainBytes } from './bytes.ts'
export { FairSlots } from './fair-slots.ts'
export { giveUpAfter, type GiveUpOptions } from './give-up.ts'
export { Heap } from './heap.ts'
export { KeyedQueue } from './keyed-queue.ts'
export { isLeaf, linksOf } from './links.ts'
export { type Listener, Listeners } from './listeners.ts'
export {
  checkClock,
  checkFlag,
  checkFunction,
  checkKeys,
  checkMethods,
  checkNumber,
  checkWord,
  describe,
  type NumberRange
} from './options.ts'
export { override } from './override.ts'
export { sha256 } from './sha256.ts'
export { sleep, type SleepOptions } from './sleep.ts'
export { Slots } from './slots.ts'
export { untilAborted } from './until-aborted.ts'
