import { documents, titleOf, type Document } from './repository.ts'

interface Entry {
  readonly text: string
  readonly link: string
}

interface Group {
  readonly text: string
  readonly items: Entry[]
}

/** The order of the site: from the first program to the reference. */
export function sidebar(): Group[] {
  return [
    {
      text: 'Start',
      items: [
        { text: 'Start in five minutes', link: '/guide/start' },
        { text: 'Pick a backend', link: '/guide/backends' },
        { text: 'How peers meet', link: '/guide/meeting' },
        { text: 'Ids and identities', link: '/guide/ids' },
        { text: 'Runtimes', link: '/guide/runtimes' }
      ]
    },
    {
      text: 'In depth',
      items: [
        { text: 'Guarantees and limits', link: '/guide/guarantees' },
        { text: 'Operate it', link: '/guide/operate' },
        { text: 'Troubleshooting', link: '/guide/troubleshooting' },
        { text: 'Write an adapter', link: '/guide/adapter' }
      ]
    },
    { text: 'Examples', items: entries('examples') },
    { text: 'Packages', items: entries('packages', ({ name }) => `@p2pl/${name}`) },
    {
      text: 'Reference',
      items: [
        { text: 'API', link: '/reference/api/' },
        ...entries('project'),
        { text: 'Decisions', link: '/decisions/all' }
      ]
    }
  ]
}

function entries(folder: string, text: (document: Document) => string = titleOf): Entry[] {
  return (documents[folder] ?? []).map((document) => ({ text: text(document), link: `/${folder}/${document.name}` }))
}
