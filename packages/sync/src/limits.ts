/** Bounds of the format: a peer with others could not agree. A change of them is a new version of the format. */
export const formatVersion = 2
/** How far above an entry, in clocks, a signature of its author may stand that vouches for it. */
export const vouchingReach = 64
/** Bits of a digest that must be zero for a boundary: 64 items to a node on average. */
export const boundaryBits = 6
/** Most bytes of the items of one index node. */
export const maxNodeBytes: number = 512 * 1024
/** Most items of one index node. */
export const maxNodeItems = 1024
/** Levels that an index can have: 64 ** 12 entries. */
export const maxLevels = 12
/** Highest value that the options `maxParents` and `maxPayloadBytes` take. */
export const parentsCeiling = 32
export const payloadCeiling: number = 256 * 1024

/** Of the messages on the topic, which peers exchange while they run and which nobody stores. */
export const messageVersion = 2

/** Bounds of what comes from the network, besides those that senders share (`replica/budgets.ts`). */
export const limits = {
  /** Bytes of entries in one announcement. */
  messageBytes: 131_072,
  /** Entries in one announcement. */
  messageEntries: 512,
  /** Largest topic message that is looked at. */
  maxMessageBytes: 1_048_576,
  /**
   * Signatures being verified at once: enough for all cores, and no more, because in Node they share four threads with the
   * store, whose every read would wait behind them.
   */
  verifying: 32,
  /** How far below an announced entry parents are chased one by one; further down the index is faster. */
  chaseDepth: 64,
  /** Fetches under way at once. */
  chaseParallel: 16,
  /** Fetches that fail before a parent is given up. */
  chaseAttempts: 6,
  /** CIDs given up, and CIDs known to be invalid, that are remembered. */
  quarantined: 4096,
  rejected: 4096,
  /** Clocks of recent entries kept in memory. */
  recent: 65_536,
  /** Senders whose standing, and whose last beacon, is remembered; of each class. */
  standings: 4096,
  reports: 2048,
  /** What a sender can waste after it gave that much, bytes. */
  maxGiven: 1_048_576,
  /** Roots that hold nothing new, or are refused, and leaves whose entries are all here. */
  mergedRoots: 1024,
  solidLeaves: 16_384,
  /** Senders whose latest root waits to be compared. */
  tickets: 512,
  /** Tries before a ticket is forgotten. */
  walkTries: 6,
  /** Walks at once through roots of known senders and of strangers, and walks begun within an eighth of a period. */
  knownWalks: { live: 4, fresh: 1 },
  strangerWalks: { live: 32, fresh: 8 },
  /** What a walk may fetch, and how many beacon periods it may take, without anything new. */
  barrenBytes: 2_097_152,
  barrenPeriods: 4,
  /** Periods by which that time grows while blocks come by asking everybody only. */
  askedPeriods: 32,
  /** Index nodes fetched ahead. */
  readAhead: 16,
  /** Entries of leaves, and their bytes, that are checked and written together, and batches of them that are checked at once. */
  batchEntries: 1024,
  batchBytes: 2_097_152,
  batchesAhead: 3,
  /** Entries of a walk, and their bytes, that wait for a signature that proves them. */
  carriedEntries: 4096,
  carriedBytes: 4_194_304,
  /** Wrong signatures that a walk may have found besides those that it makes up for by new entries. */
  wrongSignatures: 64,
  /** Entries that a walk has taken in before the view counts as catching up. */
  catchUp: 1024,
  /** Entries that came since the root was computed, after which it is computed for own beacons alone while more are coming. */
  streamed: 64,
  /** Bytes of entries handed to the store that are not yet synced. */
  stagedBytes: 4_194_304,
  /** Recent entries that the backend serves by CID of their own; older ones are served inside index leaves. */
  servedEntries: 2048,
  servedPerBurst: 256,
  /** CIDs in one repair request, and bytes of the largest block that is sent to the topic. */
  repairCids: 16,
  repairBytes: 196_608,
  /** Blocks that wait to be asked for, and answers that wait for their moment. */
  repairQueue: 4096,
  repairAnswers: 256
} as const
