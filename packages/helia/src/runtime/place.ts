/** Where the database is. */
export interface Place {
  /** The name of the database: a path, or in a browser a name within the origin. */
  readonly location: string
  /** Called when the database is closed. */
  release(): void
}

/** Somebody else has the place. */
export class PlaceLockedError extends Error {
  override readonly name = 'PlaceLockedError'
}
