import { concatBytes, equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { hash } from '../cid.ts'
import type { Levels, Root } from '../tree/levels.ts'

/** The number of entries that one proof reads. */
const samples = 4
const domain: Bytes = new TextEncoder().encode('p2pl sync proof 1')

/**
 * A hash that only a peer that reads the entries of the root can compute. It covers a few entries, chosen by the nonce
 * of the asking peer and the id of the answering peer. So neither an echo of another beacon nor an echo of another
 * proof is valid. It shows only that the peer could read the entries at that moment: one holder can prove it under many
 * identities.
 */
export async function provePossession(levels: Levels, root: Root, nonce: Bytes, sender: string): Promise<Bytes> {
  const id = new TextEncoder().encode(sender)
  const choice = await hash(concatBytes(domain, nonce, root.digest, id))
  const view = new DataView(choice.buffer, choice.byteOffset, choice.byteLength)
  const parts: Bytes[] = [domain, choice]
  for (let i = 0; i < samples && root.count > 0; i++) {
    // 48 bits each: more than any count, and still exact in a number.
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
