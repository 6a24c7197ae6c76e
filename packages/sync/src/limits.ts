/**
 * Bounds of the format: a peer with other bounds could not agree. A change of these bounds requires a new version of
 * the format.
 */
export const formatVersion = 2
/** A signature vouches for entries of its author up to this many clocks below it. */
export const vouchingReach = 64
/** The number of zero bits in a digest that make a boundary: 64 items per node on average. */
export const boundaryBits = 6
/** The most bytes of items in one index node. */
export const maxNodeBytes: number = 512 * 1024
/** The most items in one index node. */
export const maxNodeItems = 1024
/** The most levels of an index: 64 ** 12 entries. */
export const maxLevels = 12
/** The highest values of the options `maxParents` and `maxPayloadBytes`. */
export const parentsCeiling = 32
export const payloadCeiling: number = 256 * 1024

/** Version of the messages on the topic. Peers exchange them only while they run, and nobody stores them. */
export const messageVersion = 2

/** Bounds of what comes from the network, except for those that senders share (`replica/budgets.ts`). */
export const limits = {
  /** Most bytes of entries in one announcement. */
  messageBytes: 131_072,
  /** Most entries in one announcement. */
  messageEntries: 512,
  /** The largest topic message that is processed, in bytes. */
  maxMessageBytes: 1_048_576,
  /**
   * Signatures verified at once: enough for all cores. More would delay every read of the store, because in Node both
   * share four threads.
   */
  verifying: 32,
  /** How many levels below an announced entry parents are chased one by one. Below that the index is faster. */
  chaseDepth: 64,
  /** Fetches in progress at once. */
  chaseParallel: 16,
  /** Failed fetches before a parent is given up. */
  chaseAttempts: 6,
  /** How many CIDs are remembered: those given up, and those known to be invalid. */
  quarantined: 4096,
  rejected: 4096,
  /** How many clocks of recent entries are kept in memory. */
  recent: 65_536,
  /** How many senders are remembered, per class: their standings, and their last beacons. */
  standings: 4096,
  reports: 2048,
  /** The most bytes that count as given by a sender: it may waste that much. */
  maxGiven: 1_048_576,
  /** How many are remembered: roots that hold nothing new or are refused, and leaves whose entries are all here. */
  mergedRoots: 1024,
  solidLeaves: 16_384,
  /** How many senders may have a root that waits to be compared. */
  tickets: 512,
  /** Tries before a ticket is forgotten. */
  walkTries: 6,
  /**
   * For roots of known senders and of strangers: walks at once (`live`), and walks begun within an eighth of a period
   * (`fresh`).
   */
  knownWalks: { live: 4, fresh: 1 },
  strangerWalks: { live: 32, fresh: 8 },
  /** The most bytes that a walk may fetch, and the most beacon periods that it may take, without anything new. */
  barrenBytes: 2_097_152,
  barrenPeriods: 4,
  /** By how many periods that time may grow while blocks come only by asking all peers. */
  askedPeriods: 32,
  /** Index nodes that are fetched ahead. */
  readAhead: 16,
  /**
   * Entries of leaves, and their bytes, that are checked and written together; and the number of such batches that are
   * checked at once.
   */
  batchEntries: 1024,
  batchBytes: 2_097_152,
  batchesAhead: 3,
  /** Entries of a walk, and their bytes, that may wait for a signature that proves them. */
  carriedEntries: 4096,
  carriedBytes: 4_194_304,
  /** Wrong signatures that a walk may find in addition to one per new entry. */
  wrongSignatures: 64,
  /** A view counts as catching up after a walk has taken in this many entries. */
  catchUp: 1024,
  /** While entries stream in: once this many are not in the root yet, it is computed only for this view's own beacons. */
  streamed: 64,
  /** Bytes of entries that are handed to the store but not yet synced. */
  stagedBytes: 4_194_304,
  /** Recent entries that the backend serves by their own CIDs. Older ones are served inside index leaves. */
  servedEntries: 2048,
  servedPerBurst: 256,
  /** CIDs in one repair request, and bytes of the largest block that is sent to the topic. */
  repairCids: 16,
  repairBytes: 196_608,
  /** Blocks that wait to be asked for, and answers that wait to be sent. */
  repairQueue: 4096,
  repairAnswers: 256
} as const
