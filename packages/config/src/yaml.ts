import { Lexer, parseDocument } from 'yaml'
import { wrong } from './errors.ts'

// The parser's time grows with the square of the number of keys and of aliases, so both are counted first.
const maxTokens = 20_000
const maxAliases = 100

/**
 * The content of a YAML document. Warnings of the parser (an unknown tag) are treated as errors, since the parser ignores
 * what they are about.
 */
export function parseYaml(text: string, source: string): unknown {
  checkSize(text, source)
  const { errors, warnings, toJS } = document(text)
  const [problem] = [...errors, ...warnings]
  if (problem !== undefined) {
    if (problem.code === 'MULTIPLE_DOCS')
      throw wrong(`${source}: a second document begins at ${lineAndColumn(text, problem.pos[0])}: keep one`)
    throw wrong(`${source}: not YAML (${problem.code}, ${lineAndColumn(text, problem.pos[0])})`)
  }
  try {
    return toJS() ?? {}
  } catch {
    throw wrong(`${source}: not YAML that can be used (aliases without end)`)
  }
}

export function lineAndColumn(text: string, position: number): string {
  const before = text.slice(0, position).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

function document(text: string) {
  const parsed = parseDocument(text, { prettyErrors: false, logLevel: 'error' })
  return {
    errors: parsed.errors,
    warnings: parsed.warnings,
    toJS: () => parsed.toJS({ maxAliasCount: maxAliases }) as unknown
  }
}

function checkSize(text: string, source: string): void {
  let tokens = 0
  let aliases = 0
  let previous = ''
  for (const token of new Lexer().lex(text)) {
    if (++tokens > maxTokens)
      throw wrong(`${source} has more than ${maxTokens} words and signs: a configuration is smaller`)
    // The token after a scalar mark is its text.
    if (previous !== scalarMark && (token.startsWith('&') || token.startsWith('*')) && ++aliases > maxAliases)
      throw wrong(`${source} has more than ${maxAliases} anchors and aliases: write the values out`)
    previous = token
  }
}

const scalarMark = '\u001f'
