import { type Branch, branches } from './accounts.ts'
import type { Crew } from './crew.ts'
import type { Progress } from './scenario.ts'

interface Cell {
  readonly title: string
  readonly value: string
}

/** The state of the peers in lines that fit the width: a table if there is room, otherwise wrapped lines for each peer. */
export function tableLines(crew: Crew, progress: Progress, width: number): string[] {
  const rows = branches.map((name) => cellsOf(crew, progress, name))
  const titles = rows[0]?.map(({ title }) => title) ?? []
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.value.length ?? 0)))
  const line = (values: readonly string[]): string =>
    values
      .map((value, i) => value.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  const lines = [line(titles), ...rows.map((row) => line(row.map(({ value }) => value)))]
  const fits = lines.every(({ length }) => length <= width)
  return ['', ...(fits ? lines : rows.flatMap((row) => wrapped(row.map(words), width)))]
}

/** The same as one line of text. */
export function summaryLine(crew: Crew, progress: Progress): string {
  return branches
    .map((name) => {
      const { done, total } = progress[name]
      const [life, status] = [crew.life(name), crew.status(name)]
      if (life !== 'up' || status === undefined) return `${name} ${life}, fed ${done}/${total}`
      const { entries, rejected, root, balances } = status
      return `${name} fed ${done}/${total}, ${entries} entries, ${rejected} rejected, root ${tail(root)}, balances ${tail(balances)}`
    })
    .join(' | ')
}

function cellsOf(crew: Crew, progress: Progress, name: Branch): Cell[] {
  const status = crew.status(name)
  const { done, total, known } = progress[name]
  return [
    { title: 'peer', value: name },
    { title: 'state', value: crew.life(name) },
    { title: 'fed', value: `${done}/${total}${known === 0 ? '' : ` (${known} before)`}` },
    { title: 'entries', value: String(status?.entries ?? 0) },
    { title: 'rejected', value: String(status?.rejected ?? 0) },
    { title: 'root', value: tail(status?.root) },
    { title: 'balances', value: tail(status?.balances) },
    { title: 'documents', value: status === undefined ? '' : `${status.documents.kept}/${status.documents.known}` },
    { title: 'api', value: crew.peer(name)?.url ?? '' }
  ]
}

function words({ title, value }: Cell): string {
  if (value === '') return ''
  return title === 'peer' || title === 'state' || title === 'api' ? value : `${title} ${value}`
}

function wrapped(parts: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const part of parts.filter((text) => text !== '')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 2 + part.length <= width) lines[lines.length - 1] = `${last}, ${part}`
    else lines.push(lines.length === 0 ? part : `  ${part}`)
  }
  // Needed only if the terminal is narrower than a word.
  return lines.map((line) => line.slice(0, width))
}

/** The end of a CID, because all CIDs begin alike. */
function tail(cid: string | undefined): string {
  return cid === undefined ? '' : `…${cid.slice(-8)}`
}
