import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { read, root } from './workspace.ts'

/** Replaces the text between two marks in a file, including the marks. */
export function replacePart(path: string, start: string, end: string, text: string): void {
  const old = read(path)
  const [from, to] = [old.indexOf(start), old.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${path} has no lines "${start}" and "${end}"`)
  writeFileSync(join(root, path), old.slice(0, from) + text + old.slice(to + end.length))
}
