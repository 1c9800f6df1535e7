import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cleanupConflict, cleanupFolders } from './cleanup-folders';
import { ConfigError, loadConfig } from './load-config';
import { Refusal } from './setting';

const reasonOf = (value: unknown): string | undefined => {
  const read = cleanupFolders(value);
  return read instanceof Refusal ? read.reason : undefined;
};

describe('the folders that may be cleaned up', () => {
  let outer: string;
  beforeEach(() => (outer = mkdtempSync(join(tmpdir(), 'cleanup-folders-'))));
  afterEach(() => rmSync(outer, { recursive: true }));

  it('are a list of absolute paths, each once, there or not', () => {
    const folders = [join(outer, 'a'), join(outer, 'b')];
    expect(cleanupFolders(`${folders.join(' , ')},${folders[0]}/`)).toEqual(folders);
    expect(cleanupFolders(folders)).toEqual(folders);
  });

  it.each([
    ['/', 'is the root'],
    ['//', 'is the root'],
    ['/var', 'directly below'],
    ['/var/../etc', 'directly below'],
    ['/etc/cron.d', 'belongs to the system'],
    ['/usr/local/share/x', 'belongs to the system'],
    ['/proc/self/root', 'belongs to the system'],
    [homedir(), 'directly below|holds the home'],
    [resolve(__dirname, '../..'), 'holds the application'],
    [dirname(resolve(__dirname, '../..')), 'directly below|holds the application'],
    ['relative', 'absolute paths'],
    ['~/cache', 'absolute paths'],
    ['', 'absolute paths'],
    [7, 'absolute paths'],
    ['/tmp/a\0b', 'absolute paths'],
  ])('are not %j', (folder, reason) => {
    expect(reasonOf([folder])).toMatch(new RegExp(reason));
  });

  it('are not where a symbolic link leads to what may not be', () => {
    const link = join(outer, 'link');
    symlinkSync('/etc/ssl', link);
    expect(reasonOf(link)).toContain('belongs to the system');
    rmSync(link);
    symlinkSync('/', link);
    expect(reasonOf(link)).toContain('is the root');
  });

  it('are not one inside of another, and not more than ten', () => {
    expect(reasonOf([outer, join(outer, 'inner')])).toContain('inside of it');
    const many = Array.from({ length: 11 }, (_, index) => join(outer, `folder-${index}`));
    expect(reasonOf(many)).toContain('at most 10');
    expect(cleanupFolders(many.slice(1))).toHaveLength(10);
  });

  it('have nothing to do with the data folder, whichever way a link leads there', () => {
    const data = join(outer, 'data');
    mkdirSync(data);
    const link = join(outer, 'link');
    symlinkSync(data, link);
    for (const folder of [outer, data, join(data, 'pg'), link])
      expect(cleanupConflict([folder], data)).toContain('DATA_DIR');
    expect(cleanupConflict([join(outer, 'data2')], data)).toBeUndefined();
    const env = { HARDWARE_CLEANUP_FOLDERS: outer, DATA_DIR: data };
    expect(() => loadConfig(env)).toThrow(ConfigError);
    expect(() => loadConfig(env)).toThrow(/HARDWARE_CLEANUP_FOLDERS must list no folder that holds DATA_DIR/);
  });
});
