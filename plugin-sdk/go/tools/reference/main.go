// Reference writes REFERENCE.md from the doc comments. Run it in the SDK's folder:
//
//	go run ./tools/reference > REFERENCE.md
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"strings"
)

func main() {
	fmt.Println("# Reference of the Go SDK\n\nWritten by `go run ./tools/reference > REFERENCE.md` from the doc comments.")
	write(".", "berth")
	write("memory", "berth/memory")
}

func write(folder, path string) {
	files := token.NewFileSet()
	parsed, err := parser.ParseDir(files, folder, nil, parser.ParseComments)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, found := range parsed {
		pkg, err := doc.NewFromFiles(files, sorted(found), path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("\n## Package %s\n\n%s", path, text(pkg.Doc))
		values(files, append(pkg.Consts, pkg.Vars...))
		functions(files, pkg.Funcs)
		for _, t := range pkg.Types {
			fmt.Printf("\n### %s\n\n%s\n%s", t.Name, text(t.Doc), code(files, t.Decl))
			values(files, append(t.Consts, t.Vars...))
			functions(files, append(t.Funcs, t.Methods...))
		}
	}
}

func sorted(pkg *ast.Package) []*ast.File {
	var list []*ast.File
	for _, name := range names(pkg.Files) {
		list = append(list, pkg.Files[name])
	}
	return list
}

func names(files map[string]*ast.File) []string {
	var list []string
	for name := range files {
		at := 0
		for at < len(list) && list[at] < name {
			at++
		}
		list = append(list[:at], append([]string{name}, list[at:]...)...)
	}
	return list
}

func values(files *token.FileSet, list []*doc.Value) {
	for _, v := range list {
		fmt.Printf("\n%s\n%s", text(v.Doc), code(files, v.Decl))
	}
}

func functions(files *token.FileSet, list []*doc.Func) {
	for _, f := range list {
		f.Decl.Body = nil
		fmt.Printf("\n%s\n%s", code(files, f.Decl), text(f.Doc))
	}
}

// code is a declaration without its body, as a block of Go.
func code(files *token.FileSet, decl ast.Decl) string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		d.Doc = nil
	case *ast.GenDecl:
		d.Doc = nil
	}
	var out bytes.Buffer
	if err := format.Node(&out, files, decl); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return "```go\n" + out.String() + "\n```\n"
}

// text is a comment in Markdown. Links to Go's names become code.
func text(comment string) string {
	var out strings.Builder
	for _, line := range strings.Split(comment, "\n") {
		if strings.HasPrefix(line, "\t") {
			line = "    " + strings.TrimPrefix(line, "\t")
		} else {
			line = links(line)
		}
		out.WriteString(line + "\n")
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// links makes `[Tensor.Err]` into code, where there is a capital letter or a dot in it.
func links(line string) string {
	var out strings.Builder
	for {
		open := strings.IndexByte(line, '[')
		end := strings.IndexByte(line, ']')
		if open < 0 || end < open {
			return out.String() + line
		}
		name := line[open+1 : end]
		isName := name != "" && strings.IndexFunc(name, func(r rune) bool {
			return !(r == '.' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
		}) < 0 && (name[0] < 'a' || strings.Contains(name, "berth."))
		if isName {
			out.WriteString(line[:open] + "`" + name + "`")
		} else {
			out.WriteString(line[:end+1])
		}
		line = line[end+1:]
	}
}
