import type { Placement } from './adapters.ts'
import { wrong } from './errors.ts'
import { type PlainObject } from './plain.ts'

const words = ['dir', 'durability', 'listen'] as const
export type PlacementWord = (typeof words)[number]

/** The placement settings that a module declares: `export const placement = ['dir', 'durability', 'listen']`. */
export function declaredWords(module: Readonly<Record<string, unknown>>, adapter: string): readonly PlacementWord[] {
  const declared = module['placement'] ?? []
  if (Array.isArray(declared) && declared.every((word) => words.includes(word as PlacementWord)))
    return declared as readonly PlacementWord[]
  throw wrong(
    `"placement" of ${adapter} must be a list of ${words.join(', ')}: the options that it takes`,
    'createBackends'
  )
}

/**
 * The options, with the placement settings that the adapter accepts. `listen` comes from the command line and replaces the
 * option; the others are added only if the configuration does not set them.
 */
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
