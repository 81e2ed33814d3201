// Limits that are told in characters count as people do: an emoji outside the first plane is one and not two.

export const isLongerThan = (text: string, limit: number): boolean =>
  text.length > limit && [...text.slice(0, 2 * limit + 1)].length > limit

/** The beginning, with no character cut in two. */
export const firstCharacters = (text: string, limit: number): string =>
  text.length <= limit ? text : [...text.slice(0, 2 * limit)].slice(0, limit).join('')
