/** A small seeded generator (mulberry32): the same seed gives the same numbers on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Seeded bytes for content that must be the same in every run. */
export function seededBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = seededRandom(seed)
  const bytes = new Uint8Array(length)
  const words = new Uint32Array(bytes.buffer, 0, length >>> 2)
  for (let i = 0; i < words.length; i++) words[i] = random() * 4294967296
  for (let i = words.length * 4; i < length; i++) bytes[i] = random() * 256
  return bytes
}

/**
 * The seed of this run: `P2PL_SEED` or a fixed default, so that a run is repeatable. Runs `body` with it and names it
 * in every failure.
 */
export async function withSeed(
  defaultSeed: number,
  body: (seed: number, random: () => number) => Promise<void>
): Promise<void> {
  const seed = Number(process.env['P2PL_SEED'] ?? defaultSeed)
  try {
    await body(seed, seededRandom(seed))
  } catch (cause) {
    throw new Error(`failed with seed ${seed}; repeat with P2PL_SEED=${seed}`, { cause })
  }
}

export interface Seeds {
  /** Default 1. */
  readonly first?: number | undefined
  /** The step from one seed to the next. Default 1. */
  readonly step?: number | undefined
  /** The last seed. `npm run test:long` runs all of them. */
  readonly seeds: number
  /** How many of them run otherwise. */
  readonly short: number
}

/** Runs a property for some seeds, and reports how many are left out. `P2PL_SEED` runs a single seed. */
export async function forSeeds(
  name: string,
  { first = 1, step = 1, seeds, short }: Seeds,
  property: (seed: number) => Promise<void>
): Promise<void> {
  const only = process.env['P2PL_SEED']
  const all = Array.from({ length: Math.ceil((seeds - first + 1) / step) }, (_, i) => first + i * step)
  const chosen = only === undefined ? all.slice(0, process.env['P2PL_LONG'] === '1' ? seeds : short) : [Number(only)]
  if (chosen.length < all.length) {
    process.stdout.write(`${name}: ${chosen.length} of ${all.length} seeds; npm run test:long runs all of them\n`)
  }
  for (const seed of chosen) {
    try {
      await property(seed)
    } catch (cause) {
      throw new Error(`failed with seed ${seed}; repeat with P2PL_SEED=${seed}`, { cause })
    }
  }
}
