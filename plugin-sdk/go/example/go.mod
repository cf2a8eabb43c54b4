module pictures

go 1.25
