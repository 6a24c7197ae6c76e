/** A number in [0, 1) that differs from peer to peer and from block to block (FNV-1a, then mixed so that the upper bits depend on all). */
export function shareOf(id: string, digest: Uint8Array): number {
  let state = 0x811c9dc5
  for (let i = 0; i < id.length; i++) state = Math.imul(state ^ id.charCodeAt(i), 0x01000193)
  for (const byte of digest) state = Math.imul(state ^ byte, 0x01000193)
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return ((state ^ (state >>> 16)) >>> 0) / 0x1_0000_0000
}

/**
 * Bends a number in [0, 1) so that most are near 1 and a few near 0: of however many peers that have the same to say, a few come first
 * and spare the others. The more peers there are, the fewer may be early.
 */
export function late(share: number, peers: number): number {
  const steepness = 1 + Math.log(Math.max(peers, 16))
  return Math.log(1 + share * Math.expm1(steepness)) / steepness
}
