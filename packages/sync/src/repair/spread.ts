/**
 * A number in [0, 1) that differs between peers and between blocks (FNV-1a, then mixed so that the upper bits depend on
 * all input).
 */
export function shareOf(id: string, digest: Uint8Array): number {
  let state = 0x811c9dc5
  for (let i = 0; i < id.length; i++) state = Math.imul(state ^ id.charCodeAt(i), 0x01000193)
  for (const byte of digest) state = Math.imul(state ^ byte, 0x01000193)
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return ((state ^ (state >>> 16)) >>> 0) / 0x1_0000_0000
}

/**
 * Maps a number in [0, 1) so that most results are near 1 and a few near 0. Among any number of peers with the same
 * thing to say, a few go first and spare the others. The more peers there are, the smaller the share that is early.
 */
export function late(share: number, peers: number): number {
  const steepness = 1 + Math.log(Math.max(peers, 16))
  return Math.log(1 + share * Math.expm1(steepness)) / steepness
}
