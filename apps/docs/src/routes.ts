import { absoluteLinks } from './links.ts'
import { documents, read } from './repository.ts'

interface Route {
  readonly params: { readonly name: string }
  readonly content: string
}

/** The pages of one folder that are documents of the repository. */
export function routes(folder: string): { watch: string[]; paths: () => Route[] } {
  const all = documents[folder] ?? []
  return {
    watch: all.map(({ file }) => `../../../../${file}`),
    paths: () => all.map(({ file, name }) => ({ params: { name }, content: absoluteLinks(read(file), file) }))
  }
}
