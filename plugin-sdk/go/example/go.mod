module example.com/pictures

go 1.25
