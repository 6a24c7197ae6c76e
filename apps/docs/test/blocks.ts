import { documents, read } from '../src/repository.ts'

export interface Block {
  readonly file: string
  readonly language: string
  readonly text: string
}

/** The code blocks of a text in these languages. */
export function blocksOf(file: string, text: string, languages: RegExp): Block[] {
  return [...text.matchAll(/^```(\w+)[^\n]*\n([^]*?)^```$/gm)]
    .map(([, language = '', body = '']) => ({ file, language, text: body }))
    .filter(({ language }) => languages.test(language))
}

/** The code blocks of all documents of the repository that the site shows. */
export function blocksOfDocuments(languages: RegExp): Block[] {
  const files = Object.values(documents).flatMap((all) => all.map(({ file }) => file))
  return [...files, 'README.md'].flatMap((file) => blocksOf(file, read(file), languages))
}
