import { readFileSync } from 'node:fs'
import { basename, resolve, dirname } from 'node:path'

/** What the guide asks its reader to do, or says that the reader sees, in order. */
export type Step =
  | { readonly do: 'write'; readonly file: string; readonly text: string }
  | { readonly do: 'run'; readonly commands: readonly string[] }
  | { readonly do: 'start'; readonly terminal: string; readonly command: string }
  | { readonly do: 'see' | 'type'; readonly terminal: string; readonly line: string }

export interface Section {
  readonly title: string
  readonly steps: readonly Step[]
}

const block = /^```(\w+)(?: (\w+)(?: (\w+))?)?\n([^]*?)^```$|^<<< (\S+)$/gm

/**
 * Reads the steps of a page. The first line of a guide's block names the terminal that it belongs to: "sh Ann", "text
 * Ann prints".
 */
export function sectionsOf(page: string): Section[] {
  const [, ...parts] = readFileSync(page, 'utf8').split(/^## /m)
  return parts
    .map((part) => ({
      title: part.split('\n')[0] ?? '',
      steps: [...part.matchAll(block)].map(([, language, terminal, verb, body = '', file]): Step => {
        if (file !== undefined) {
          const path = resolve(dirname(page), file)
          return { do: 'write', file: basename(path), text: readFileSync(path, 'utf8') }
        }
        const lines = body.trim().split('\n')
        const [line = ''] = lines
        if (language === 'sh' && terminal === undefined) return { do: 'run', commands: lines }
        if (lines.length > 1) throw new Error(`${page}: one line for ${terminal}, not ${lines.length}`)
        if (language === 'sh' && terminal !== undefined) return { do: 'start', terminal, command: line }
        if (terminal !== undefined && verb !== undefined && language === 'text')
          return { do: verb === 'types' ? 'type' : 'see', terminal, line }
        throw new Error(`${page}: a block "${language} ${terminal} ${verb}" has no meaning in a guide`)
      })
    }))
    .filter(({ steps }) => steps.length > 0)
}

/** The pattern of a guide's line, in which … matches anything. */
export function patternOf(line: string): RegExp {
  const parts = line.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`${parts.join(String.raw`\S+`)}$`)
}
