import { LedgerError } from '../errors.ts'

/**
 * The rows of a CSV text (RFC 4180: quotes, doubled quotes, commas and line ends inside quotes). The first row names
 * the columns.
 */
export function parseCsv(text: string): Record<string, string>[] {
  const [header, ...rows] = splitRows(text)
  if (header === undefined) return []
  return rows.map((fields, i) => {
    if (fields.length !== header.length)
      throw new LedgerError(
        'INVALID_ARGUMENT',
        `row ${i + 2} has ${fields.length} fields, the first has ${header.length}`
      )
    return Object.fromEntries(header.map((name, column) => [name, fields[column] ?? '']))
  })
}

export function formatCsv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [header, ...rows].map((row) => `${row.map((field) => quote(String(field))).join(',')}\n`).join('')
}

function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

function splitRows(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let field = ''
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (quoted) {
      if (character !== '"') field += character
      else if (text[i + 1] === '"') field += text[++i]
      else quoted = false
    } else if (character === '"') quoted = true
    else if (character === ',') {
      row.push(field)
      field = ''
    } else if (character === '\n') {
      rows.push([...row, field])
      row = []
      field = ''
    } else if (character !== '\r') field += character
  }
  if (field !== '' || row.length > 0) rows.push([...row, field])
  return rows
}
