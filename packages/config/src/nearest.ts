import { distance } from 'fastest-levenshtein'
import { knownAdapters } from './adapters.ts'

/** The candidate that the user probably meant, if one is near enough. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 64) return undefined
  const folded = fold(word)
  let best: { candidate: string; edits: number } | undefined
  for (const candidate of candidates) {
    const edits = editsTo(folded, fold(candidate))
    if (edits <= Math.max(1, Math.floor(candidate.length / 3)) && (best === undefined || edits < best.edits))
      best = { candidate, edits }
  }
  return best?.candidate
}

/** ` Did you mean "x"?` or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates)
  return near === undefined ? '' : ` Did you mean "${near}"?`
}

/** Names of engines and libraries that users give instead of an adapter's name. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  ipfs: ['ipfs-rpc', 'helia'],
  kubo: ['ipfs-rpc'],
  'go-ipfs': ['ipfs-rpc'],
  'kubo-rpc-client': ['ipfs-rpc'],
  'ipfs-http-client': ['ipfs-rpc'],
  rpc: ['ipfs-rpc'],
  'js-ipfs': ['helia'],
  libp2p: ['helia'],
  torrent: ['bittorrent'],
  webtorrent: ['bittorrent'],
  'in-memory': ['memory']
}

/**
 * ` Did you mean "helia"?` if the text is close to an adapter's name or package, or to the name of its engine; otherwise
 * nothing.
 */
export function meantAdapter(use: string): string {
  const word = use.toLowerCase().replace(/^@p2pl\//, '')
  const names = Object.keys(knownAdapters)
  const other = nearest(word, [...names, ...Object.keys(otherNames)])
  const meant = other === undefined ? [] : (otherNames[other] ?? [other])
  return meant.length === 0 ? '' : ` Did you mean ${meant.map((name) => `"${name}"`).join(' or ')}?`
}

/** Two swapped letters count as one error. */
function editsTo(word: string, candidate: string): number {
  let edits = distance(word, candidate)
  for (let i = 1; i < word.length && edits > 1; i++) {
    const swapped = `${word.slice(0, i - 1)}${word[i] ?? ''}${word[i - 1] ?? ''}${word.slice(i + 1)}`
    edits = Math.min(edits, 1 + distance(swapped, candidate))
  }
  return edits
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[-_.]/g, '')
}
