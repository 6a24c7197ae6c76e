import { concatBytes, equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { hash } from '../cid.ts'
import type { Levels, Root } from '../tree/levels.ts'

/** Entries that one proof reads. */
const samples = 4
const domain: Bytes = new TextEncoder().encode('p2pl sync proof 1')

/**
 * What only a peer can compute that reads the entries of the root: a hash over a few of them, chosen by the nonce of the peer that asks and
 * by the id of the one that answers, so that neither an echo of somebody else's beacon nor of somebody else's proof is one.
 * It shows access to the entries at that moment, no more: one holder can prove it under many identities.
 */
export async function provePossession(levels: Levels, root: Root, nonce: Bytes, sender: string): Promise<Bytes> {
  const id = new TextEncoder().encode(sender)
  const choice = await hash(concatBytes(domain, nonce, root.digest, id))
  const view = new DataView(choice.buffer, choice.byteOffset, choice.byteLength)
  const parts: Bytes[] = [domain, choice]
  for (let i = 0; i < samples && root.count > 0; i++) {
    // 48 bits each: more than any count, and still exact.
    const chosen = view.getUint16(i * 8) * 0x1_0000_0000 + view.getUint32(i * 8 + 2)
    const entry = await levels.entryAt(root, chosen % root.count)
    if (entry === undefined) throw new Error('the index is not what it was')
    parts.push(entry)
  }
  return await hash(concatBytes(...parts))
}

export async function isProof(
  levels: Levels,
  root: Root,
  nonce: Bytes,
  sender: string,
  proof: Bytes
): Promise<boolean> {
  return equalBytes(await provePossession(levels, root, nonce, sender), proof)
}
