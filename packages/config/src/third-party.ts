import type { Placement } from './adapters.ts'
import { wrong } from './errors.ts'
import { type PlainObject } from './plain.ts'

const words = ['dir', 'durability', 'listen'] as const
export type PlacementWord = (typeof words)[number]

/** The words of the placement that a module declares: `export const placement = ['dir', 'durability', 'listen']`. */
export function declaredWords(module: Readonly<Record<string, unknown>>, adapter: string): readonly PlacementWord[] {
  const declared = module['placement'] ?? []
  if (Array.isArray(declared) && declared.every((word) => words.includes(word as PlacementWord)))
    return declared as readonly PlacementWord[]
  throw wrong(
    `"placement" of ${adapter} must be a list of ${words.join(', ')}: the options that it takes`,
    'createBackends'
  )
}

/** The options with the words that the adapter takes. The command line names `listen`; the configuration wins over the others. */
export function placeThirdParty(
  options: PlainObject,
  takes: readonly PlacementWord[],
  placement: Placement
): PlainObject {
  const given = takes.filter(
    (word) => placement[word] !== undefined && (word === 'listen' || !Object.hasOwn(options, word))
  )
  return { ...options, ...Object.fromEntries(given.map((word) => [word, placement[word]])) }
}
