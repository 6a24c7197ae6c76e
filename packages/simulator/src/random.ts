/** A number in [0, 1). */
export type Random = () => number

/** sfc32, seeded by any text or number. Equal seeds give equal numbers on every machine. */
export function createRandom(seed: string | number): Random {
  let [a, b, c] = words(String(seed))
  let counter = 1
  const next: Random = () => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4_294_967_296
  }
  // The first numbers of similar seeds are similar, so they are skipped.
  for (let i = 0; i < 12; i++) next()
  return next
}

/** A whole number from 0 to `below` - 1. */
export function randomInteger(random: Random, below: number): number {
  return Math.floor(random() * below)
}

export function randomBytes(random: Random, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => randomInteger(random, 256))
}

/** Shuffles in place (Fisher-Yates). */
export function shuffle<T>(random: Random, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = randomInteger(random, i + 1)
    const item = items[i] as T
    items[i] = items[j] as T
    items[j] = item
  }
  return items
}

function words(text: string): [number, number, number] {
  let [a, b, c] = [0x9e3779b9, 0x243f6a88, 0xb7e15162]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x85ebca6b)
    b = Math.imul(b ^ code ^ (a >>> 13), 0xc2b2ae35)
    c = Math.imul(c ^ code ^ (b >>> 16), 0x27d4eb2f)
  }
  return [a | 0, b | 0, c | 0]
}
