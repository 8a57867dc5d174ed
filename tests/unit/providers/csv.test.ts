import { expect, test } from 'vitest';
import { readCsv } from '../../support/csv.ts';

test('a reader of CSV takes quotes, commas and line ends as RFC 4180 has them', () => {
  expect(readCsv('a,b,c\r\n1,"x, ""y""\nz",\r\n,,3\n')).toEqual([
    { a: '1', b: 'x, "y"\nz', c: '' },
    { a: '', b: '', c: '3' },
  ]);
  expect(() => readCsv('a,b\n1\n')).toThrow('a row has 1 fields');
});
